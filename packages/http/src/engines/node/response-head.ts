import { FlotillaError } from '@flotilla/core';
import { isFieldName, isFieldValue } from '../../field-grammar.ts';
import type { HttpHeaders } from '../../headers.ts';
import { incomingHeaders } from '../messages.ts';
import type { PoolLimits } from './options.ts';

/** The fields of an answer as undici gives them: name, value, name, value, … */
export type RawFields = readonly (Buffer | string)[];

/**
 * Checks the head of an answer beyond what the parser does, so that nobody takes one answer for two.
 *
 * @throws FlotillaError BAD_RESPONSE; the connection cannot be used any further
 */
export function checkResponseHead(raw: RawFields, limits: PoolLimits, target: string): HttpHeaders {
  if (raw.length / 2 > limits.maxHeaderFields) throw bad(target, `more than ${limits.maxHeaderFields} header fields`);
  const fields = textFields(raw);
  const lengths: string[] = [];
  const codings: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase();
    const value = fields[i + 1] as string;
    if (!isFieldName(name)) throw bad(target, 'a header name that is not a token');
    if (!isFieldValue(value)) throw bad(target, 'a header value with control characters');
    if (name === 'content-length') lengths.push(value);
    if (name === 'transfer-encoding') codings.push(value);
  }
  if (lengths.length + codings.length > 1) throw bad(target, 'more than one statement of its length');
  if (lengths.some((length) => !/^[0-9]{1,15}$/.test(length))) throw bad(target, 'a content-length that is no number');
  if (codings.some((coding) => coding.toLowerCase() !== 'chunked')) throw bad(target, 'an unknown transfer-encoding');
  return incomingHeaders(fields);
}

/** Fields as text: one character a byte. */
export function textFields(raw: RawFields): string[] {
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

function bad(target: string, what: string): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `the answer of ${target} has ${what}`);
}
