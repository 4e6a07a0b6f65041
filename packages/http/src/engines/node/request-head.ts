import { FlotillaError } from '@flotilla/core';
import type { HttpHeaders } from '../../headers.ts';
import { type PathOptions, parsePath, type RequestPath } from '../../path.ts';
import { asksForWebSocket } from '../../websocket-handshake.ts';
import { incomingHeaders, isAuthority } from '../messages.ts';
import type { ListenerLimits } from './options.ts';

/** The versions that are spoken. */
export type HttpVersion = '1.0' | '1.1';

/** A request's head, checked. */
export interface RequestHead extends RequestTarget {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** What its fields say. */
  readonly fields: ReadFields;
}

/** What a request is about. */
export interface RequestTarget {
  /** Undefined for the target `*` of OPTIONS (RFC 9112 §3.2.4). */
  readonly path: RequestPath | undefined;
  readonly query: string;
}

/** Checked fields, whatever request line they came with. */
export interface ReadFields {
  readonly version: HttpVersion;
  /** name, value, name, value, … in their order, as received; names in lower case. */
  readonly raw: string[];
  /** Without those that were acted on; a handler gets a copy. */
  readonly headers: HttpHeaders;
  readonly authority: string;
  /** Bytes of the body; undefined when it comes in chunks. */
  readonly length: number | undefined;
  readonly expectsContinue: boolean;
  /** Whether the connection may go on behind the answer (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
  /** With the method GET, a wish to go on as a WebSocket. */
  readonly webSocket: boolean;
}

/** Fields that decide where a message ends, whom it is for or what becomes of its connection: all their lines are looked at. */
interface Decisive {
  readonly lengths: string[];
  readonly codings: string[];
  readonly hosts: string[];
  readonly expectations: string[];
  readonly connections: string[];
  upgrades: boolean;
}

/** @throws FlotillaError METHOD_NOT_ALLOWED for what no handler gets to see */
export function checkMethod(method: string): void {
  if (method !== 'CONNECT' && method !== 'TRACE') return;
  throw new FlotillaError('METHOD_NOT_ALLOWED', `${method} is not served here`);
}

/**
 * Reads what fields mean: whatever two servers might understand in two ways is refused. RFC 9112 §6 (framing), §9.3
 * (persistence); RFC 9110 §7.2 (Host), §10.1.1 (Expect).
 *
 * @param raw name, value, …, each well-formed, names in lower case; it belongs to the result
 * @throws FlotillaError with the status to answer; the connection cannot be used any further
 */
export function readFields(version: HttpVersion, raw: string[], limits: ListenerLimits): ReadFields {
  const decisive = decisiveOf(raw);
  const length = checkFraming(version, decisive);
  if (length !== undefined && length > limits.maxBodyBytes) {
    throw new FlotillaError('BODY_TOO_LARGE', `a body of ${length} bytes is over the limit of ${limits.maxBodyBytes}`);
  }
  return {
    version,
    raw,
    headers: incomingHeaders(raw),
    authority: checkHost(decisive.hosts),
    length,
    // HTTP/1.0 knows no interim answers: there the expectation is ignored (RFC 9110 §10.1.1).
    expectsContinue: checkExpect(decisive.expectations) && version === '1.1',
    keepAlive: keepsAlive(version, decisive.connections),
    webSocket: decisive.upgrades && asksForWebSocket({ method: 'GET', version, fields: raw }),
  };
}

/**
 * @param before of the same connection: its path is this one's, where the targets are equal
 * @throws FlotillaError MALFORMED_REQUEST
 */
export function readTarget(
  method: string,
  target: string,
  authority: string,
  options: PathOptions,
  before?: RequestHead,
): RequestTarget {
  if (before?.target === target && target.startsWith('/')) return before;
  if (target === '*') {
    if (method !== 'OPTIONS') throw malformed('the target "*", which belongs to OPTIONS');
    return { path: undefined, query: '' };
  }
  const origin = originForm(target, authority);
  const mark = origin.indexOf('?');
  if (mark < 0) return { path: parsePath(origin, options), query: '' };
  return { path: parsePath(origin.slice(0, mark), options), query: origin.slice(mark + 1) };
}

function decisiveOf(raw: readonly string[]): Decisive {
  const found: Decisive = { lengths: [], codings: [], hosts: [], expectations: [], connections: [], upgrades: false };
  for (let i = 0; i < raw.length; i += 2) {
    const value = raw[i + 1] as string;
    switch (raw[i]) {
      case 'content-length':
        found.lengths.push(value);
        break;
      case 'transfer-encoding':
        found.codings.push(value);
        break;
      case 'host':
        found.hosts.push(value);
        break;
      case 'expect':
        found.expectations.push(value);
        break;
      case 'connection':
        found.connections.push(value.toLowerCase());
        break;
      case 'upgrade':
        found.upgrades = true;
        break;
    }
  }
  return found;
}

/** @returns the length of the body; undefined for chunks */
function checkFraming(version: HttpVersion, { lengths, codings }: Decisive): number | undefined {
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

function keepsAlive(version: HttpVersion, connections: readonly string[]): boolean {
  if (connections.length === 0) return version === '1.1';
  const options = connections
    .join()
    .split(',')
    .map((option) => option.trim());
  return !options.includes('close') && (version === '1.1' || options.includes('keep-alive'));
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
