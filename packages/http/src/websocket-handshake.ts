import { createHash } from 'node:crypto';
import { FlotillaError } from '@flotilla/core';
import { isToken, splitOutsideQuotes } from './field-grammar.ts';
import type { HttpHeaders } from './headers.ts';

/** Header fields by which both sides agree on a WebSocket (RFC 6455 §11.3): they go end to end, also through a proxy. */
export const webSocketFields: readonly string[] = Object.freeze([
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
]);

/** RFC 6455 §1.3 */
const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Base64 of 16 bytes: 22 digits, the last of which carries four bits, and two signs of padding. */
const keyPattern = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

const versionSpoken = '13';

/** The value of `sec-websocket-accept` for a key (RFC 6455 §4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + guid)
    .digest('base64');
}

/** A request line and its fields: name, value, name, value, … as received. */
export interface UpgradeHead {
  readonly method: string;
  /** `1.1` */
  readonly version: string;
  readonly fields: readonly string[];
}

/**
 * Does a request ask for a WebSocket and nothing else? GET, HTTP/1.1, no body, `connection` with `upgrade` in it, one
 * `upgrade` that is exactly `websocket` (RFC 6455 §4.2.1). Whatever asks for something else, `h2c` first of all, is an
 * ordinary request whose `upgrade` nobody obeys (RFC 9110 §7.8 allows that, and so no second protocol can be smuggled in).
 */
export function asksForWebSocket({ method, version, fields }: UpgradeHead): boolean {
  if (method !== 'GET' || version !== '1.1') return false;
  const upgrades: string[] = [];
  let named = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase();
    const value = fields[i + 1] as string;
    if (name === 'upgrade') upgrades.push(value.toLowerCase());
    if (name === 'connection') named ||= tokensOf(value).includes('upgrade');
    if (name === 'content-length' || name === 'transfer-encoding' || name === 'http2-settings') return false;
  }
  return named && upgrades.length === 1 && upgrades[0] === 'websocket';
}

/**
 * Checks the rest of a handshake: one version that is spoken, one key of 16 bytes, well-formed protocols
 * (RFC 6455 §4.2.1, §4.2.2).
 * @throws FlotillaError MALFORMED_REQUEST; with status 426 for another version
 */
export function checkWebSocketRequest(headers: HttpHeaders): void {
  const versions = headers.getAll('sec-websocket-version');
  if (versions.length !== 1 || versions[0] !== versionSpoken) {
    throw new FlotillaError('MALFORMED_REQUEST', `the WebSocket handshake needs one version, ${versionSpoken}`, {
      httpStatus: 426,
    });
  }
  const keys = headers.getAll('sec-websocket-key');
  if (keys.length !== 1 || !keyPattern.test(keys[0] as string)) {
    throw malformed('needs one key: 16 bytes in base64');
  }
  if (headers.has('sec-websocket-accept')) throw malformed('holds an "accept", which only an answer has');
  const protocols = tokensIn(headers, 'sec-websocket-protocol');
  if (headers.has('sec-websocket-protocol') && protocols.length === 0)
    throw malformed('offers an empty list of protocols');
  if (protocols.some((protocol) => !isToken(protocol))) throw malformed('offers a protocol that is no token');
  if (new Set(protocols).size !== protocols.length) throw malformed('offers a protocol twice');
}

/**
 * What is wrong with an answer 101 (RFC 6455 §4.1, the six checks of a client): undefined when nothing is. An answer that
 * fails here was given by something that speaks no WebSocket, or for another request.
 * @param fields as received: name, value, …
 */
export function webSocketAnswerProblem(request: HttpHeaders, fields: readonly string[]): string | undefined {
  const answer = collect(fields);
  if (answer.get('upgrade')?.join().toLowerCase() !== 'websocket') return 'it does not upgrade to "websocket"';
  if (!answer.get('connection')?.some((value) => tokensOf(value).includes('upgrade'))) {
    return 'its "connection" does not name "upgrade"';
  }
  const expected = webSocketAccept(request.get('sec-websocket-key') ?? '');
  if (answer.get('sec-websocket-accept')?.join() !== expected)
    return 'its "sec-websocket-accept" is not that of the key';
  const protocol = answer.get('sec-websocket-protocol')?.join();
  if (protocol !== undefined && !tokensIn(request, 'sec-websocket-protocol').includes(protocol)) {
    return 'it speaks a protocol that was not offered';
  }
  const offered = new Set(extensionNames(request.getAll('sec-websocket-extensions')));
  const unasked = extensionNames(answer.get('sec-websocket-extensions') ?? []).some((name) => !offered.has(name));
  return unasked ? 'it uses an extension that was not offered' : undefined;
}

function collect(fields: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const collected = new Map<string, string[]>();
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase();
    collected.set(name, [...(collected.get(name) ?? []), fields[i + 1] as string]);
  }
  return collected;
}

function tokensIn(headers: HttpHeaders, name: string): string[] {
  return headers
    .getAll(name)
    .flatMap((value) => value.split(','))
    .map((part) => part.trim());
}

function tokensOf(value: string): string[] {
  return value.split(',').map((part) => part.trim().toLowerCase());
}

function extensionNames(values: readonly string[]): string[] {
  return values
    .flatMap((value) => splitOutsideQuotes(value, ','))
    .map((extension) => (splitOutsideQuotes(extension, ';')[0] ?? '').trim().toLowerCase())
    .filter((name) => name !== '');
}

function malformed(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the WebSocket handshake ${what}`);
}
