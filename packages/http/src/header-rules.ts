import { FlotillaError } from '@flotilla/core';
import { isToken } from './field-grammar.ts';
import type { HttpHeaders } from './headers.ts';

/** How hop-by-hop fields are removed. */
export interface HopByHopOptions {
  /**
   * `request` (default): naming a field that may not be removed is refused, since it is an attempt to hide something
   * from whoever comes next. `response`: such a name is passed over, since the client did nothing wrong.
   */
  readonly message?: 'request' | 'response';
  /** Keeps names with `_`, which CGI-like backends take for `-`: `x_forwarded_for`. Default false: dropped. */
  readonly keepUnderscores?: boolean;
}

/** What of a stranger's fields is kept all the same. */
export interface UntrustedOptions {
  /** `priority`: lets clients choose how soon they are shed. Default false. */
  readonly keepPriority?: boolean;
  /** `traceparent`, `tracestate` and `baggage`, with the tenant in it. Default false: the trace begins here. */
  readonly keepTrace?: boolean;
}

/**
 * Removes what concerns one connection only, in place: the fields that `connection` names, `connection` itself, and
 * those of {@link hopByHopNames} (RFC 9110 §7.6.1); also names with `_`. Comes before {@link removeUntrusted} and
 * `addForwarded`, so that a client cannot have removed what those leave or add.
 *
 * @param protectedNames in lower case: fields that the caller itself sets or relies on, besides {@link alwaysProtected}
 * @throws FlotillaError MALFORMED_REQUEST when `connection` of a request is no list of tokens, or names a field that
 *   is protected
 */
export function removeHopByHop(
  headers: HttpHeaders,
  protectedNames: Iterable<string> = [],
  options: HopByHopOptions = {},
): void {
  const named = headers.has('connection') ? namedByConnection(headers, protectedNames, options) : noNames;
  headers.deleteWhere((name) => isHopByHop(name, options) || named.has(name));
}

/** Does a field of this name concern one connection only, or is it taken for another one by backends? See {@link removeHopByHop}. */
export function isHopByHop(name: string, { keepUnderscores = false }: HopByHopOptions = {}): boolean {
  return hopByHopNames.has(name) || (!keepUnderscores && name.includes('_'));
}

/** The fields that `connection` names and that may be removed. */
function namedByConnection(
  headers: HttpHeaders,
  protectedNames: Iterable<string>,
  { message = 'request' }: HopByHopOptions,
): ReadonlySet<string> {
  const named = readConnection(headers, message);
  const kept = new Set(protectedNames);
  const refused = [...named].filter((name) => isAlwaysProtected(name) || kept.has(name));
  if (refused.length > 0 && message !== 'response') {
    throw malformed(`the field "connection" names "${refused[0]}", which concerns more than this connection`);
  }
  for (const name of refused) named.delete(name);
  return named;
}

/**
 * Removes, in place, the fields by which a stranger could pass for a proxy of ours or for another service: those of
 * forwarding, those by which some backends replace path or method, all of ours (`flotilla-…`), the trace and the
 * priority. Not for requests whose direct peer is trusted.
 */
export function removeUntrusted(headers: HttpHeaders, options: UntrustedOptions = {}): void {
  headers.deleteWhere((name) => isUntrusted(name, options));
}

/** May a stranger not set a field of this name? See {@link removeUntrusted}. */
export function isUntrusted(name: string, options: UntrustedOptions = {}): boolean {
  return (
    untrustedNames.has(name) ||
    name.startsWith('x-forwarded-') ||
    name.startsWith('flotilla-') ||
    (!options.keepPriority && name === 'priority') ||
    (!options.keepTrace && traceNames.has(name))
  );
}

/** A gateway speaks for itself about each of these on each connection. */
const hopByHopNames: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Without these the next hop would frame, route or trust the message differently (CVE-2022-1388 is one of many). */
const alwaysProtected: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'authorization',
  'cookie',
  'forwarded',
]);

const untrustedNames: ReadonlySet<string> = new Set([
  'forwarded',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
]);

const noNames: ReadonlySet<string> = new Set();

const traceNames: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage']);

function isAlwaysProtected(name: string): boolean {
  return alwaysProtected.has(name) || name.startsWith('x-forwarded-');
}

function readConnection(headers: HttpHeaders, message: 'request' | 'response'): Set<string> {
  const named = new Set<string>();
  for (const field of headers.getAll('connection')) {
    for (const part of field.split(',')) {
      const name = part.trim().toLowerCase();
      if (name === '') continue; // RFC 9110 §5.6.1.2: empty elements of a list are allowed
      if (isToken(name)) named.add(name);
      else if (message === 'request') throw malformed('the field "connection" is not a list of names');
    }
  }
  return named;
}

function malformed(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the request cannot be passed on: ${what}`);
}
