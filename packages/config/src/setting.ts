/** Keys and positions from the root to a value. */
export type Path = readonly (string | number)[];

/** JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What is wrong with the value at a path, without the value itself: that is added by whoever may show it. */
export interface Issue {
  readonly path: Path;
  readonly message: string;
}

/** How one value of the configuration is read. Made by `text`, `integer`, `group` and their siblings. */
export interface Setting<T> {
  readonly jsonSchema: JsonSchema;
  /** True when somebody has to write it: it has neither a default nor `optional`. */
  readonly required: boolean;
  /**
   * Reads a value; null and undefined count as absent. What is wrong is added to `issues`, and the result then means
   * nothing.
   */
  read(value: unknown, path: Path, issues: Issue[]): T;
}

/** The type of the value that a setting gives. */
export type SettingValue<S> = S extends Setting<infer T> ? T : never;

/** What every setting may be told. */
export interface SettingOptions<T> {
  /** For documentation: what the value means and when to change it. */
  readonly describe?: string;
  /** Used when nobody writes the value. Default: none, the value is required. */
  readonly default?: T;
  /** The value may be absent; it is `undefined` then. */
  readonly optional?: true;
  /**
   * A change of the value counts from the next start of the process: it opened something by it. Default: a running
   * process takes the change in at once.
   */
  readonly restart?: true;
}

/** In a JSON Schema: {@link SettingOptions.restart}. Schemas of other libraries may carry it too. */
export const restartKeyword = 'x-flotilla-restart';

/** Reads a value that is present; `refuse` says what is wrong with it. */
export type Parse<T> = (value: unknown, refuse: (message: string) => T, path: Path, issues: Issue[]) => T;

/**
 * The parts that all settings share: absence, default, documentation.
 * @param kind of the setting, for messages to the programmer.
 * @throws TypeError when the default does not fit the setting's own rule.
 */
export function defineSetting<T>(
  kind: string,
  options: SettingOptions<T>,
  jsonSchema: JsonSchema,
  parse: Parse<T>,
): Setting<T> {
  const read = (value: unknown, path: Path, issues: Issue[]): T => {
    const refuse = (message: string): T => {
      issues.push({ path, message });
      return undefined as T;
    };
    const present = value ?? options.default; // a default is read like a written value: checked, copied, frozen
    if (present !== undefined) return parse(present, refuse, path, issues);
    return options.optional ? (undefined as T) : refuse('is required');
  };
  if (options.default !== undefined) assertDefault(kind, options.default, read);
  return Object.freeze({
    jsonSchema: Object.freeze({
      ...jsonSchema,
      ...(options.describe === undefined ? undefined : { description: options.describe }),
      ...(options.default === undefined ? undefined : { default: options.default }),
      ...(options.restart ? { [restartKeyword]: true } : undefined),
    }),
    required: options.default === undefined && !options.optional,
    read,
  });
}

function assertDefault<T>(kind: string, fallback: T, read: Setting<T>['read']): void {
  const issues: Issue[] = [];
  read(fallback, [], issues);
  const [issue] = issues;
  if (issue) throw new TypeError(`${kind}: the default ${JSON.stringify(fallback)} ${issue.message}`);
}
