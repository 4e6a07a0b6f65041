import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { Issue, JsonSchema } from './setting.ts';

/**
 * What configuration is typed by: `settings(…)`, or any Standard Schema that can say its JSON Schema (zod 4, valibot
 * through `toStandardJsonSchema`, …).
 */
export interface ConfigSchema<T> {
  readonly '~standard': StandardSchemaV1.Props<unknown, T> & StandardJSONSchemaV1.Props<unknown, T>;
}

/** @throws TypeError when the schema cannot say its JSON Schema. */
export function jsonSchemaOf(schema: ConfigSchema<unknown>): JsonSchema {
  const { vendor, jsonSchema } = schema['~standard'];
  if (!jsonSchema) throw new TypeError(`the schema (of "${vendor}") offers no JSON Schema, which configuration needs`);
  return jsonSchema.input({ target: 'draft-2020-12' });
}

/**
 * Validates at once.
 * @throws TypeError when the schema validates asynchronously: configuration is read before anything runs.
 */
export function validate<T>(
  schema: ConfigSchema<T>,
  value: unknown,
): { readonly value: T } | { readonly issues: readonly Issue[] } {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => undefined); // its outcome is of no use to anybody
    throw new TypeError('the schema validates asynchronously; configuration needs one that answers at once');
  }
  if (!result.issues) return { value: result.value };
  return { issues: result.issues.map(({ path = [], message }) => ({ path: path.map(stepOf), message })) };
}

function stepOf(step: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof step === 'object' ? step.key : step;
  return typeof key === 'number' ? key : String(key);
}
