import { FlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpResponse } from '@flotilla/http';
import { answerFieldCodes } from './field-codes.ts';
import { FieldMistake, type HeadLimits, readFields, writeFields } from './fields-text.ts';

/** An answer's head, checked. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** What `content-length` says; undefined without it. */
  readonly contentLength: number | undefined;
}

/**
 * The head of an answer as it stands in its entry, in UTF-8: `200\n`, then its fields as those of a request, with codes of
 * their own.
 * @param response as {@link outgoingResponse} gives it: checked
 */
export function writeAnswer({ status, headers }: Pick<HttpResponse, 'status' | 'headers'>): string {
  return `${status}\n${writeFields(headers, answerFieldCodes)}`;
}

/**
 * Reads what {@link writeAnswer} writes.
 * @param target whose answer it is, for messages
 * @throws FlotillaError BAD_RESPONSE
 */
export function readAnswer(text: string, limits: HeadLimits, target: string): ReadAnswer {
  if (!statusPattern.test(text)) throw bad(target, 'a head that does not begin with a status from 200 to 599');
  const fields = readFields(text, 4, answerFieldCodes, limits);
  if (fields instanceof FieldMistake) throw bad(target, fields.what);
  const { flat, contentLength } = fields;
  return { status: Number(text.slice(0, 3)), headers: HttpHeaders.fromFlat(flat, true), contentLength };
}

/** Interim answers do not exist here: nothing waits for "100 Continue", and no other one changes what a caller does. */
const statusPattern = /^[2-5][0-9][0-9]\n/;

function bad(target: string, what: string): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `the answer of ${target} has ${what}`);
}
