import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonOutput } from './json-output.ts';
import type { OutputOf, Schema } from './schema.ts';

/** An error that an operation may answer, with the data that comes along. */
export interface ErrorSpec<Data = unknown> {
  /** HTTP status, 400 to 599. */
  readonly status: number;
  /** Of the data; undefined: the error carries none. */
  readonly schema: Schema | undefined;
  /** Never set: carries the type. */
  readonly '~data'?: Data;
}

/** Errors by their code. */
export type ErrorSpecs = { readonly [code: string]: ErrorSpec };

/** An operation that declares no errors. */
export type NoErrors = Record<never, never>;

/** The declarations of errors whose data is `Errors`, a record of code → data. */
export type Declarations<Errors> = { readonly [Code in keyof Errors]: ErrorSpec<Errors[Code]> };

/** Stands for "no data". */
export interface NoData extends StandardSchemaV1<undefined, undefined> {}

/**
 * Declares an error: `errors: { NOT_FOUND: error(404, Missing) }`. The code is the member's name.
 * @param status 400 to 599
 * @param schema of the data that tells a program more: JSON, its input and output the same.
 */
export function error<S extends Schema = NoData>(status: number, schema?: S & JsonOutput<S>): ErrorSpec<OutputOf<S>> {
  return Object.freeze({ status, schema });
}
