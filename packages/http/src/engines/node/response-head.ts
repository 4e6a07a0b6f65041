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
  let statements = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase();
    const value = fields[i + 1] as string;
    if (!isFieldName(name)) throw bad(target, 'a header name that is not a token');
    if (!isFieldValue(value)) throw bad(target, 'a header value with control characters');
    if (name === 'content-length' || name === 'transfer-encoding') {
      if (++statements > 1) throw bad(target, 'more than one statement of its length');
      checkFraming(name, value, target);
    }
  }
  return incomingHeaders(fields);
}

function checkFraming(name: 'content-length' | 'transfer-encoding', value: string, target: string): void {
  if (name === 'transfer-encoding') {
    if (value.toLowerCase() !== 'chunked') throw bad(target, 'an unknown transfer-encoding');
  } else if (!/^[0-9]{1,15}$/.test(value)) throw bad(target, 'a content-length that is no number');
}

/** Fields as text: one character a byte. */
export function textFields(raw: RawFields): string[] {
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

function bad(target: string, what: string): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `the answer of ${target} has ${what}`);
}
