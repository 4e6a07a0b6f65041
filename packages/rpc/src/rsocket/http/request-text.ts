import { FlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type PathOptions, type RequestPath } from '@flotilla/http';
import { checkMethod, isAuthority, isMethod, readTarget } from '@flotilla/http/engine';
import { requestFieldCodes } from './field-codes.ts';
import { FieldMistake, type HeadLimits, readFields, writeFields } from './fields-text.ts';

/** What the head of a request may be at most. */
export interface RequestHeadLimits extends HeadLimits {
  /** Method, target and authority. */
  readonly maxRequestLineBytes: number;
}

/** A request's head, checked. */
export interface ReadRequest {
  readonly method: string;
  readonly authority: string;
  /** Undefined for the target `*` of OPTIONS. */
  readonly path: RequestPath | undefined;
  readonly query: string;
  readonly headers: HttpHeaders;
  /** What `content-length` says; undefined without it. */
  readonly contentLength: number | undefined;
}

/**
 * The head of a request as it stands in its entry, in UTF-8:
 *
 * ```
 * GET /orders/7?full=1 shop.example\n
 * Aapplication/json\n          a code of field-codes.ts and the value
 * x-tenant-hint:blue\n         any other name, a colon and the value
 * ```
 *
 * @param headers as {@link outgoingRequestHeaders} gives them: checked
 */
export function writeRequest({ method, authority, path, query }: HttpRequest, headers: HttpHeaders): string {
  const target = query === '' ? path.text : `${path.text}?${query}`;
  return `${method} ${target} ${authority}\n${writeFields(headers, requestFieldCodes)}`;
}

/**
 * Reads what {@link writeRequest} writes. Whatever two servers might understand in two ways is refused, by the rules of the
 * parser of HTTP/1.1: no message that this takes is one that the other would have refused.
 * @throws FlotillaError MALFORMED_REQUEST, METHOD_NOT_ALLOWED, TARGET_TOO_LONG, HEADERS_TOO_LARGE
 */
export function readRequest(text: string, limits: RequestHeadLimits, pathOptions: PathOptions): ReadRequest {
  const lineEnd = text.indexOf('\n');
  const length = lineEnd < 0 ? text.length : lineEnd;
  if (length > limits.maxRequestLineBytes) {
    throw new FlotillaError('TARGET_TOO_LONG', `the request line is over ${limits.maxRequestLineBytes} bytes`);
  }
  if (lineEnd < 0) throw malformed('a head whose first line has no end');
  const methodEnd = text.indexOf(' ');
  const targetEnd = methodEnd < 0 ? -1 : text.indexOf(' ', methodEnd + 1);
  if (targetEnd < 0 || targetEnd > lineEnd) throw malformed('no line of method, target and authority');
  const method = text.slice(0, methodEnd);
  if (!isMethod(method)) throw malformed('a method that is not known');
  checkMethod(method);
  const target = text.slice(methodEnd + 1, targetEnd);
  if (!targetPattern.test(target)) throw malformed('a target that is empty, or has control or 8-bit characters');
  const authority = text.slice(targetEnd + 1, lineEnd);
  if (!isAuthority(authority)) throw malformed('an authority that is not host or host:port');
  const fields = readFields(text, lineEnd + 1, requestFieldCodes, limits);
  if (fields instanceof FieldMistake) throw asError(fields);
  const { path, query } = readTarget(method, target, authority, pathOptions);
  const { flat, contentLength } = fields;
  return { method, authority, path, query, headers: HttpHeaders.fromFlat(flat, true), contentLength };
}

/** Origin form, or the `*` of OPTIONS: visible ASCII without `#`. Absolute form belongs to HTTP/1.1, where a proxy may ask so. */
const targetPattern = /^(?:\/[!"$-~]*|\*)$/;

function asError({ kind, what }: FieldMistake): FlotillaError {
  return kind === 'malformed' ? malformed(what) : new FlotillaError('HEADERS_TOO_LARGE', `the request has ${what}`);
}

function malformed(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the request has ${what}`);
}
