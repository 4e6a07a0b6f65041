import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

/** A schema of any validator that follows Standard Schema v1: zod, valibot, ArkType, hand-written, … */
export type Schema = StandardSchemaV1;

/** What a caller may write: the type before parsing. */
export type InputOf<S extends Schema> = NonNullable<S['~standard']['types']>['input'];

/** What parsing gives. */
export type OutputOf<S extends Schema> = NonNullable<S['~standard']['types']>['output'];

/** Stands for "no schema": the operation takes, or gives, nothing. */
export interface VoidSchema extends StandardSchemaV1<void, void> {}

/** A JSON Schema document, draft 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/**
 * The JSON Schema that a validator gives for what it takes (`input`) or returns (`output`).
 * @returns undefined when the validator gives none, or cannot express this schema.
 */
export function jsonSchemaOf(schema: Schema | undefined, side: 'input' | 'output'): JsonSchema | undefined {
  const converter = schema && (schema['~standard'] as Partial<StandardJSONSchemaV1.Props>).jsonSchema;
  if (!converter) return undefined;
  try {
    return converter[side]({ target: 'draft-2020-12' });
  } catch {
    return undefined; // by the standard: a type that JSON Schema cannot say
  }
}
