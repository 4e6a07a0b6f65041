import { FlotillaError } from '@flotilla/core';
import type { AnyOperation, HttpMapping } from '../contract/index.ts';
import { invalidInput, validate } from '../server/validate.ts';

/**
 * Refuses an input that its callee is certain to refuse, before it is sent. What travels beside the input as bytes is not
 * looked at.
 * @param name of what is checked, for the message
 * @throws FlotillaError INVALID_INPUT, `executed` no, naming each field
 */
export async function validateInput(
  name: string,
  { in: schema }: Pick<AnyOperation, 'in'>,
  { body }: Pick<HttpMapping, 'body'>,
  input: unknown,
): Promise<void> {
  if (!schema) return;
  const carried = body && 'field' in body ? body.field : undefined;
  const checked = await validate(schema, carried === undefined ? input : without(input, carried));
  if (checked.ok) return;
  const { detail, data } = invalidInput(name, checked.issues);
  throw new FlotillaError('INVALID_INPUT', detail, { data, executed: 'no' });
}

function without(input: unknown, field: string): unknown {
  if (typeof input !== 'object' || input === null) return input;
  const { [field]: _, ...rest } = input as Readonly<Record<string, unknown>>;
  return rest;
}
