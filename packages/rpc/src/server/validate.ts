import { FlotillaError } from '@flotilla/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Schema } from '../contract/index.ts';

/** One thing that is wrong with a value. */
export interface Issue {
  /** Keys from the outermost value inwards; empty: the value itself. */
  readonly path: readonly (string | number)[];
  /** In the validator's words. */
  readonly message: string;
}

/** What a validator said. */
export type Validation =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** A caller learns of at most this many issues, each with a message of at most so many characters and keys. */
export const issueLimits: Readonly<{ maxIssues: number; maxMessage: number; maxPath: number }> = Object.freeze({
  maxIssues: 20,
  maxMessage: 200,
  maxPath: 32,
});

/** Runs a schema over a value, once. Rejects with whatever the validator throws. */
export async function validate(schema: Schema, value: unknown): Promise<Validation> {
  return validateNow(schema, value);
}

/** {@link validate}, with a promise only where the validator gives one. @throws whatever the validator throws */
export function validateNow(schema: Schema, value: unknown): Validation | Promise<Validation> {
  const running = schema['~standard'].validate(value);
  return running instanceof Promise ? running.then(validationOf) : validationOf(running);
}

function validationOf(result: StandardSchemaV1.Result<unknown>): Validation {
  if (!result.issues) return { ok: true, value: result.value };
  const issues = result.issues.slice(0, issueLimits.maxIssues).map(({ message, path }) => ({
    path: (path ?? []).slice(0, issueLimits.maxPath).map((segment) => keyOf(segment)),
    message: message.slice(0, issueLimits.maxMessage),
  }));
  return { ok: false, issues };
}

/** `"lines.0.count": expected number (and 2 more)`: the first issue, for a sentence. */
export function describeIssues(issues: readonly Issue[]): string {
  const [first] = issues;
  if (!first) return 'it does not fit the schema';
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return `${first.path.length === 0 ? '' : `"${first.path.join('.')}": `}${first.message}${more}`;
}

/**
 * INVALID_INPUT as a caller sees it.
 * @param hint what may be behind the issues, for a person
 */
export function invalidInput(operation: string, issues: readonly Issue[], hint?: string): FlotillaError {
  const detail = `${operation} does not take this: ${describeIssues(issues)}${hint === undefined ? '' : `; ${hint}`}`;
  return new FlotillaError('INVALID_INPUT', detail, { data: { issues } });
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof segment === 'object' ? segment.key : segment;
  return typeof key === 'number' ? key : String(key).slice(0, issueLimits.maxMessage);
}
