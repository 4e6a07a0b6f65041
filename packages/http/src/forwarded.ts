import type { Peer } from './exchange.ts';
import { isToken, quoted, splitOutsideQuotes, unquoted } from './field-grammar.ts';
import type { HttpHeaders } from './headers.ts';
import { formatAddress, parseAddress } from './ip-address.ts';
import type { TrustedProxies } from './ip-network.ts';

/** What a proxy says of the request that it passes on. */
export interface ForwardedBy {
  /** Who sent the request to us. */
  readonly peer: Pick<Peer, 'address'>;
  /** Host and port as the client named them. */
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** Who we are: an address, or a name that begins with `_` (RFC 7239 §6.3). Default: not said. */
  readonly by?: string;
}

/** Which field the trusted proxies write. */
export type ForwardedField = 'x-forwarded-for' | 'forwarded';

/**
 * Adds, in place, on whose behalf the request goes on: one more element of `forwarded` (RFC 7239) and of
 * `x-forwarded-for`; `x-forwarded-host`, `-proto` and `-port` where no trusted proxy before us has said them, because
 * what the client named is what counts. Call `removeUntrusted` first for a peer that is not trusted.
 */
export function addForwarded(headers: HttpHeaders, { peer, authority, scheme, by }: ForwardedBy): void {
  const { address, node, asked } = namesOf(peer, authority, scheme);
  const us = by === undefined ? '' : `by=${nodeName(by)};`;
  append(headers, 'forwarded', `${us}for=${node};host=${asked.host};proto=${scheme}`);
  append(headers, 'x-forwarded-for', address);
  if (!headers.has('x-forwarded-host')) headers.append('x-forwarded-host', authority);
  if (!headers.has('x-forwarded-port')) headers.append('x-forwarded-port', asked.port);
  if (!headers.has('x-forwarded-proto')) headers.append('x-forwarded-proto', scheme);
}

/** How a peer is called in each of the fields. */
interface PeerNames {
  readonly address: string;
  readonly node: string;
  /** What it asked for last. */
  asked: Asked;
}

/** What a request names as its host, in the words of the fields. */
interface Asked {
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: string;
}

/** A connection has one peer for all its requests, and mostly one host: both are read once. */
const knownNames = new WeakMap<object, PeerNames>();

function namesOf(peer: ForwardedBy['peer'], authority: string, scheme: 'http' | 'https'): PeerNames {
  let names = knownNames.get(peer);
  if (!names) {
    const asked = askedFor(authority, scheme);
    names = { address: canonical(peer.address) ?? 'unknown', node: nodeName(peer.address), asked };
    knownNames.set(peer, names);
  } else if (names.asked.authority !== authority || names.asked.scheme !== scheme) {
    names.asked = askedFor(authority, scheme);
  }
  return names;
}

function askedFor(authority: string, scheme: 'http' | 'https'): Asked {
  return { authority, scheme, host: tokenOrQuoted(authority), port: portOf(authority, scheme) };
}

/**
 * The address on whose behalf a request comes: the right-most one that is not a trusted proxy. Everything further left
 * was written by somebody who is not trusted.
 *
 * @param maxHops at most so many elements are read; behind that the last one counts
 * @param field the one that the proxies write. Only one is read: a proxy that writes the one passes the other on as a
 *   stranger sent it.
 * @returns in the one way to write it (IPv4 mapped into IPv6 as IPv4); the peer's text when that is no IP address
 */
export function clientAddress(
  headers: HttpHeaders,
  peer: Pick<Peer, 'address'>,
  trustedProxies: TrustedProxies,
  maxHops = 5,
  field: ForwardedField = 'x-forwarded-for',
): string {
  let client = canonical(peer.address) ?? peer.address;
  if (!trustedProxies.has(client)) return client;
  const hops = field === 'forwarded' ? forwardedHops(headers) : listed(headers.getAll('x-forwarded-for'));
  for (const hop of hops.slice(-Math.max(1, maxHops)).reverse()) {
    const address = canonical(withoutPort(hop));
    if (address === undefined) return client; // `unknown`, a hidden name, or nonsense: the proxy is all we know
    client = address;
    if (!trustedProxies.has(client)) return client;
  }
  return client;
}

function append(headers: HttpHeaders, name: string, element: string): void {
  const before = headers.get(name);
  if (before === undefined) headers.append(name, element);
  else headers.set(name, before ? `${before}, ${element}` : element);
}

/** RFC 7239 §6: IPv6 in brackets, and so in quotes. */
function nodeName(text: string): string {
  const address = canonical(text);
  if (address === undefined) return /^_[A-Za-z0-9._-]{1,100}$/.test(text) ? text : 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

function tokenOrQuoted(text: string): string {
  return isToken(text) ? text : quoted(text);
}

function portOf(authority: string, scheme: 'http' | 'https'): string {
  const [, port] = /:([0-9]{1,5})$/.exec(authority) ?? [];
  return port ?? (scheme === 'https' ? '443' : '80');
}

function canonical(text: string): string | undefined {
  const bytes = parseAddress(text);
  return bytes && formatAddress(bytes);
}

function listed(fields: readonly string[]): string[] {
  return fields.flatMap((field) => field.split(',')).map((element) => element.trim());
}

/** `for` of each element, in order; empty where an element has none. Commas and semicolons in quotes are text. */
function forwardedHops(headers: HttpHeaders): string[] {
  const field = headers.getAll('forwarded').join(',');
  return splitOutsideQuotes(field, ',').map((element) => {
    const pair = splitOutsideQuotes(element, ';').find((one) => /^\s*for=/i.test(one)) ?? '';
    return unquoted(pair.slice(pair.indexOf('=') + 1).trim());
  });
}

/** `10.0.0.1:80` and `[::1]:80` as some proxies write them. */
function withoutPort(hop: string): string {
  const [, bracketed, v4] = /^(?:(\[[^\]]*\])|([0-9.]+))(?::[0-9]{1,5})?$/.exec(hop) ?? [];
  return bracketed ?? v4 ?? hop;
}
