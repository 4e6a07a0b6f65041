import { FlotillaError } from '@flotilla/core';
import { isFieldName, isFieldValue } from '../../field-grammar.ts';
import type { HttpHeaders } from '../../headers.ts';
import { type PathOptions, parsePath, type RequestPath } from '../../path.ts';
import { incomingHeaders, isAuthority } from '../messages.ts';
import type { ListenerLimits } from './options.ts';

/** A request's head as the parser of `node:http` gives it: nothing merged, nothing dropped. */
export interface RawHead {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** `1.1` */
  readonly version: string;
  /** name, value, name, value, … in their order, as received. */
  readonly fields: readonly string[];
}

/** What is certain about a request once its head was checked. */
export interface RequestHead {
  readonly authority: string;
  /** Undefined for the target `*` of OPTIONS (RFC 9112 §3.2.4). */
  readonly path: RequestPath | undefined;
  readonly query: string;
  /** What its fields say. */
  readonly fields: ReadFields;
  /** Bytes of the body; undefined when it comes in chunks. */
  readonly length: number | undefined;
  readonly expectsContinue: boolean;
}

/** Checked fields, whatever request line they came with. */
export interface ReadFields extends Pick<RequestHead, 'authority' | 'length' | 'expectsContinue'> {
  readonly version: string;
  readonly raw: readonly string[];
  /** Without those that were acted on; a handler gets a copy. */
  readonly headers: HttpHeaders;
  /** Short enough to be kept while the connection is idle: it may be one of ten thousand. */
  readonly isShort: boolean;
}

/** Longer ones are read each time. */
const mostKeptBytes = 1_024;

/** Fields that decide where a message ends or whom it is for: each is looked at in all its lines. */
type Decisive = 'content-length' | 'transfer-encoding' | 'host' | 'expect';

/** Of the names, so that most fields need no other look. */
const decisiveLengths: ReadonlySet<number> = new Set(
  (['content-length', 'transfer-encoding', 'host', 'expect'] satisfies Decisive[]).map((name) => name.length),
);

const targetPattern = /^[!"$-~]+$/;

/**
 * Checks a head beyond what the parser does: whatever two servers might understand in two ways is refused.
 * RFC 9112 §3 (target), §6 (framing); RFC 9110 §7.2 (Host), §10.1.1 (Expect).
 *
 * @param before what the fields of an earlier request said: most clients send the same ones each time, so those are
 * compared, and read only where they differ.
 * @throws FlotillaError with the status to answer; the connection cannot be used any further
 */
export function checkHead(
  head: RawHead,
  limits: ListenerLimits,
  pathOptions: PathOptions,
  before?: ReadFields,
): RequestHead {
  checkRequestLine(head, limits);
  const fields = before && isSame(head, before) ? before : readFields(head, limits);
  const { authority, length, expectsContinue } = fields;
  const { path, query } = checkTarget(head, authority, pathOptions);
  return { authority, path, query, fields, length, expectsContinue };
}

function isSame({ version, fields }: RawHead, before: ReadFields): boolean {
  const { raw } = before;
  if (version !== before.version || fields.length !== raw.length) return false;
  for (let i = 0; i < raw.length; i++) if (fields[i] !== raw[i]) return false;
  return true;
}

function readFields(head: RawHead, limits: ListenerLimits): ReadFields {
  const { decisive, bytes } = checkFields(head.fields, limits);
  const length = checkFraming(head, decisive);
  if (length !== undefined && length > limits.maxBodyBytes) {
    throw new FlotillaError('BODY_TOO_LARGE', `a body of ${length} bytes is over the limit of ${limits.maxBodyBytes}`);
  }
  const authority = checkHost(decisive.host);
  // HTTP/1.0 knows no interim answers: there the expectation is ignored (RFC 9110 §10.1.1).
  const expectsContinue = checkExpect(decisive.expect) && head.version === '1.1';
  const { version, fields: raw } = head;
  const isShort = bytes <= mostKeptBytes;
  return { authority, length, expectsContinue, version, raw, headers: incomingHeaders(raw), isShort };
}

function checkRequestLine({ method, target, version }: RawHead, limits: ListenerLimits): void {
  const bytes = method.length + target.length + ' '.length + ' HTTP/1.1'.length;
  if (bytes > limits.maxRequestLineBytes) {
    throw new FlotillaError('TARGET_TOO_LONG', `the request line is over ${limits.maxRequestLineBytes} bytes`);
  }
  if (version !== '1.1' && version !== '1.0') {
    throw new FlotillaError('MALFORMED_REQUEST', 'this listener speaks HTTP/1.1', { httpStatus: 505 });
  }
  if (method === 'CONNECT' || method === 'TRACE') {
    throw new FlotillaError('METHOD_NOT_ALLOWED', `${method} is not served here`);
  }
}

function checkFields(
  fields: readonly string[],
  limits: ListenerLimits,
): { readonly decisive: Record<Decisive, string[]>; readonly bytes: number } {
  if (fields.length / 2 > limits.maxHeaderFields) {
    throw new FlotillaError('HEADERS_TOO_LARGE', `more than ${limits.maxHeaderFields} header fields`);
  }
  const decisive: Record<Decisive, string[]> = { 'content-length': [], 'transfer-encoding': [], host: [], expect: [] };
  let total = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    total += checkField(name, value, limits);
    if (!decisiveLengths.has(name.length)) continue;
    const lower = name.toLowerCase();
    if (Object.hasOwn(decisive, lower)) decisive[lower as Decisive].push(value);
  }
  if (total > limits.maxHeaderBytes) {
    throw new FlotillaError('HEADERS_TOO_LARGE', `the header fields are over ${limits.maxHeaderBytes} bytes`);
  }
  return { decisive, bytes: total };
}

/** @returns the bytes that the field takes, with `: ` and the line end */
function checkField(name: string, value: string, limits: ListenerLimits): number {
  const bytes = name.length + value.length + 4;
  if (bytes > limits.maxFieldBytes) {
    throw new FlotillaError('HEADERS_TOO_LARGE', `one header field is over ${limits.maxFieldBytes} bytes`);
  }
  if (!isFieldName(name)) throw malformed('a header name is not a token');
  if (!isFieldValue(value)) throw malformed('a header value has control characters');
  return bytes;
}

/** @returns the length of the body; undefined for chunks */
function checkFraming({ version }: RawHead, decisive: Record<Decisive, string[]>): number | undefined {
  const lengths = decisive['content-length'];
  const codings = decisive['transfer-encoding'];
  if (lengths.length > 0 && codings.length > 0) throw malformed('content-length and transfer-encoding together');
  if (lengths.length > 1) throw malformed('more than one content-length');
  if (codings.length > 1) throw malformed('more than one transfer-encoding');
  const [coding] = codings;
  if (coding !== undefined) {
    if (version === '1.0') throw malformed('a transfer-encoding in HTTP/1.0');
    if (coding.toLowerCase() !== 'chunked') throw malformed('a transfer-encoding other than "chunked"');
    return undefined;
  }
  const [length = '0'] = lengths;
  if (!/^[0-9]{1,15}$/.test(length)) throw malformed('a content-length that is not 1 to 15 digits');
  return Number(length);
}

function checkHost(hosts: readonly string[]): string {
  const [host] = hosts;
  if (host === undefined) throw malformed('no host field');
  if (hosts.length > 1) throw malformed('more than one host field');
  if (!isAuthority(host)) throw malformed('a host field that is not host or host:port');
  return host;
}

function checkExpect(expectations: readonly string[]): boolean {
  const [expectation] = expectations;
  if (expectation === undefined) return false;
  if (expectations.length > 1 || expectation.toLowerCase() !== '100-continue') {
    throw new FlotillaError('EXPECTATION_FAILED', 'the only expectation that is met here is "100-continue"');
  }
  return true;
}

function checkTarget(
  { method, target }: RawHead,
  authority: string,
  options: PathOptions,
): Pick<RequestHead, 'path' | 'query'> {
  if (!targetPattern.test(target))
    throw malformed('a request target with blanks, control or 8-bit characters, or a fragment');
  if (target === '*') {
    if (method !== 'OPTIONS') throw malformed('the target "*" belongs to OPTIONS');
    return { path: undefined, query: '' };
  }
  const origin = originForm(target, authority);
  const mark = origin.indexOf('?');
  if (mark < 0) return { path: parsePath(origin, options), query: '' };
  return { path: parsePath(origin.slice(0, mark), options), query: origin.slice(mark + 1) };
}

/** A target in absolute form is its path, if it names the same host as the Host field (RFC 9112 §3.2.2). */
function originForm(target: string, authority: string): string {
  if (target.startsWith('/')) return target;
  const [scheme] = /^https?:\/\//i.exec(target) ?? [];
  if (!scheme) throw malformed('a request target that is neither a path nor an http URL');
  const afterScheme = target.slice(scheme.length);
  const end = afterScheme.search(/[/?]/);
  const named = end < 0 ? afterScheme : afterScheme.slice(0, end);
  const rest = end < 0 ? '' : afterScheme.slice(end);
  if (named.toLowerCase() !== authority.toLowerCase())
    throw malformed('a request target for another host than the host field');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function malformed(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the request has ${what}`);
}
