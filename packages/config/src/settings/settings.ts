import { assertDistinctNames } from '../key-names.ts';
import type { ConfigSchema } from '../schema.ts';
import type { Issue, JsonSchema } from '../setting.ts';
import { shapeOf } from '../shape.ts';
import { group, type Members, type MemberValues } from './collections.ts';

/** A whole configuration: a Standard Schema with JSON Schema, free of any validation library. */
export interface Settings<T> extends ConfigSchema<T> {
  readonly jsonSchema: JsonSchema;
}

/** The values that a {@link Settings} gives. */
export type SettingsValues<S> = S extends ConfigSchema<infer T> ? T : never;

/**
 * Describes a service's configuration.
 *
 * ```ts
 * const Settings = settings({
 *   port: integer({ default: 8080, min: 0, max: 65_535 }),
 *   http: group({ maxBodyBytes: integer({ default: 1_048_576, min: 1 }) }),
 *   apiKey: secret(),
 * })
 * ```
 *
 * @throws TypeError when a key is not camel case, a default breaks its own rule, or two keys share a variable's name.
 */
export function settings<const M extends Members>(members: M): Settings<MemberValues<M>> {
  const root = group(members);
  assertDistinctNames(shapeOf(root.jsonSchema));
  const jsonSchema = Object.freeze({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...root.jsonSchema });
  return Object.freeze({
    jsonSchema,
    '~standard': {
      version: 1,
      vendor: 'flotilla',
      validate(value: unknown) {
        const issues: Issue[] = [];
        const read = root.read(value, [], issues);
        return issues.length > 0 ? { issues } : { value: read };
      },
      jsonSchema: { input: schemaFor(jsonSchema), output: schemaFor(jsonSchema) },
    },
  } as const);
}

/** Nothing in these schemas differs between the drafts, so both names give the same document. */
function schemaFor(schema: JsonSchema): (options: { readonly target: string }) => Record<string, unknown> {
  return ({ target }) => {
    if (target === 'draft-2020-12' || target === 'draft-07') return { ...schema };
    throw new TypeError(`settings give JSON Schema draft-2020-12 and draft-07, not "${target}"`);
  };
}
