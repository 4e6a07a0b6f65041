import type { Shape } from './shape.ts';

/** A key that takes a value of its own: whatever is not a group. */
export interface Leaf {
  readonly path: readonly string[];
  readonly shape: Shape;
}

/** `http.maxBodyBytes` */
export function formatKey(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

/** `http.maxBodyBytes` → `FLOTILLA_HTTP_MAX_BODY_BYTES`. Steps and the words of a step are joined by `_`. */
export function variableName(path: readonly string[], prefix: string): string {
  return [prefix, ...path.flatMap(wordsOf)].join('_').toUpperCase();
}

/** `http.maxBodyBytes` → `--http.max-body-bytes`. */
export function flagName(path: readonly string[]): string {
  return `--${path.map((step) => wordsOf(step).join('-').toLowerCase()).join('.')}`;
}

/** The words of a camel-case key: `baseURLPath` → base, URL, Path; a digit belongs to the word before it. */
export function wordsOf(key: string): string[] {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/);
}

/** Every key that takes a value, in the order of the schema. A group that contains itself is followed once. */
export function leavesOf(shape: Shape): Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (at: Shape, path: readonly string[], within: readonly Shape[]): void => {
    if (at.kind !== 'group') {
      leaves.push({ path, shape: at });
      return;
    }
    if (within.includes(at)) return;
    for (const [key, member] of at.members) visit(member, [...path, key], [...within, at]);
  };
  visit(shape, [], []);
  return leaves;
}

/**
 * @throws TypeError when two keys would have one name in the environment or among flags: `http.maxBody` and
 * `httpMax.body` are both `HTTP_MAX_BODY`. A secret also takes the name that ends in `_FILE`.
 */
export function assertDistinctNames(shape: Shape): void {
  const owners = new Map<string, string>();
  const claim = (name: string, key: string): void => {
    const owner = owners.get(name);
    if (owner !== undefined) {
      throw new TypeError(`the keys "${owner}" and "${key}" have one name, ${name}; rename one of them`);
    }
    owners.set(name, key);
  };
  for (const leaf of leavesOf(shape)) {
    const key = formatKey(leaf.path);
    const name = variableName(leaf.path, '…');
    claim(name, key);
    if (leaf.shape.secret) claim(`${name}_FILE`, key);
    claim(flagName(leaf.path), key);
  }
}
