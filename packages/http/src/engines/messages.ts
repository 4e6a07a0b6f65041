import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import { writeContext } from '../context-headers.ts';
import type { HttpBody, HttpRequest, HttpResponse } from '../exchange.ts';
import { isFieldName } from '../field-grammar.ts';
import { HttpHeaders } from '../headers.ts';
import { checkWebSocketRequest, webSocketAccept } from '../websocket-handshake.ts';
import { dispose } from './pump.ts';

/**
 * Fields about one connection (RFC 9110 §7.6.1) and the target: an engine writes them itself, from what it does.
 * `authority` of a request is its `host`.
 */
const ownedByEngine: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const authorityPattern = /^(?:[0-9A-Za-z._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;
const methodPattern = /^[A-Z][A-Z-]{0,31}$/;
const queryPattern = /^[!-"$-~]*$/;
const lengthPattern = /^[0-9]{1,15}$/;

/** Is it `host`, `host:port`, `[v6]` or `[v6]:port`, without user info, path, list or an impossible port? */
export function isAuthority(text: string): boolean {
  if (goodAuthorities.has(text)) return true;
  if (!authorityPattern.test(text) || portOf(text) > 65_535) return false;
  if (goodAuthorities.size >= mostGoodAuthorities) goodAuthorities.clear();
  goodAuthorities.add(text);
  return true;
}

/** Those that were found good: a process serves few and calls few. */
const goodAuthorities = new Set<string>();
const mostGoodAuthorities = 256;

/** Header fields of a request as they leave: checked, framed, with the context of `call`. The caller's stay untouched. */
export function outgoingRequestHeaders(request: HttpRequest, call: Call): HttpHeaders {
  if (!methodPattern.test(request.method)) throw misuse('method', request.method);
  if (!isAuthority(request.authority)) throw misuse('authority', request.authority);
  if (!queryPattern.test(request.query)) throw misuse('query', request.query);
  const headers = checkedHeaders(request.headers);
  writeContext(call, headers);
  if (request.upgrade !== undefined) checkUpgrade(request, headers);
  frame(headers, request.body);
  return headers;
}

/** A response as it leaves: checked, framed, without a body where its status or method allows none. */
export function outgoingResponse(response: HttpResponse, request: Outgoing): HttpResponse {
  const { status } = response;
  const { method } = request;
  if (status === 101 && request.upgrade !== undefined) return acceptance(response, request.headers);
  if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new FlotillaError('INTERNAL', `a response has a status from 200 to 599, got ${status}`);
  }
  const headers = checkedHeaders(response.headers);
  if (status === 204) headers.delete('content-length');
  if (hasNoBody(method, status)) {
    if (response.body instanceof Uint8Array && status !== 204) headers.set('content-length', `${response.body.length}`);
    dispose(response.body);
    return { status, headers, body: undefined };
  }
  frame(headers, response.body ?? noBytes);
  return { status, headers, body: response.body };
}

/** What of its request decides how an answer looks. */
export type Outgoing = Pick<HttpRequest, 'method' | 'headers' | 'upgrade'>;

/** The answer by which a connection becomes a tunnel. */
function acceptance({ headers: given, body }: HttpResponse, asked: HttpHeaders): HttpResponse {
  if (!isStream(body))
    throw new FlotillaError('INTERNAL', 'an answer 101 has a streamed body: what is sent from then on');
  const headers = checkedHeaders(given);
  headers.delete('content-length');
  headers.set('sec-websocket-accept', webSocketAccept(asked.get('sec-websocket-key') ?? ''));
  return { status: 101, headers, body };
}

function checkUpgrade({ method, body }: HttpRequest, headers: HttpHeaders): void {
  if (method !== 'GET') throw misuse('upgrade by', method);
  if (body !== undefined) throw misuse('upgrade', 'websocket, with a body');
  try {
    checkWebSocketRequest(headers);
  } catch (cause) {
    throw new FlotillaError('INTERNAL', `a request cannot be sent: ${toFlotillaError(cause).detail}`, {
      executed: 'no',
    });
  }
}

function isStream(body: HttpBody): body is AsyncIterable<Uint8Array> {
  return body !== undefined && !(body instanceof Uint8Array);
}

/** Responses that have no body whatever their fields say (RFC 9112 §6.3). */
export function hasNoBody(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/** Header fields that came in and were found well-formed, without those that the engine has already acted on. */
export function incomingHeaders(flat: readonly string[]): HttpHeaders {
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase();
    const value = flat[i + 1] as string;
    if (!isActedOn(name, value)) kept.push(name, value);
  }
  return HttpHeaders.fromFlat(kept, true);
}

/** A `connection` that names other fields stays: whoever forwards the message has to obey it. */
function isActedOn(name: string, value: string): boolean {
  if (name === 'connection') return /^(?:keep-alive|close)$/i.test(value);
  return name === 'host' || name === 'transfer-encoding' || name === 'keep-alive';
}

function checkedHeaders(given: HttpHeaders): HttpHeaders {
  const headers = given.copy();
  headers.deleteWhere((name) => ownedByEngine.has(name));
  const unfit = headers.unfit();
  if (!unfit) return headers;
  const [name, value] = unfit;
  throw isFieldName(name) ? misuse(`header "${name}"`, value) : misuse('header name', name);
}

/** Bytes have a length. A stream has the one that its owner declared, or none. */
function frame(headers: HttpHeaders, body: HttpBody): void {
  if (body === undefined) headers.delete('content-length');
  else if (body instanceof Uint8Array) {
    const length = `${body.length}`;
    if (headers.get('content-length') !== length) headers.set('content-length', length); // else it stays in its place
  } else {
    const declared = headers.get('content-length');
    if (declared !== undefined && !lengthPattern.test(declared)) throw misuse('content-length', declared);
  }
}

function portOf(authority: string): number {
  const match = /:([0-9]{1,5})$/.exec(authority);
  return match && !authority.endsWith(']') ? Number(match[1]) : 0;
}

/** A message that cannot be written is a mistake of the program that made it; nothing was sent. */
function misuse(what: string, value: string): FlotillaError {
  const shown = JSON.stringify(value.slice(0, 80));
  return new FlotillaError('INTERNAL', `a message with the ${what} ${shown} cannot be sent`, { executed: 'no' });
}

const noBytes = new Uint8Array(0);
