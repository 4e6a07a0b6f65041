import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type FlotillaError, problemMediaType, toProblem } from '@flotilla/core';
import type { HttpResponse } from '../../exchange.ts';

/**
 * Another form of a refusal than a problem document, by what the request accepts. Its body is bytes.
 * @returns undefined: a problem document, after all
 */
export type RefusalPage = (error: FlotillaError, accept: string | undefined) => HttpResponse | undefined;

/**
 * A whole answer, for requests that never became one: written to the socket as it is, then the end.
 * @param page what takes the place of a problem document
 * @param method of the request, as far as it is known: HEAD gets no body (RFC 9110 §9.3.2)
 */
export function refusal(error: FlotillaError, page?: HttpResponse, method?: string): string {
  const body = page?.body instanceof Uint8Array ? Buffer.from(page.body).toString() : JSON.stringify(toProblem(error));
  const fields = page
    ? [...page.headers].map(([name, value]) => `${name}: ${value}`)
    : [`content-type: ${problemMediaType}`];
  // RFC 9110 §15.5.22 and RFC 6455 §4.2.2: which protocol, and which version of it, would be taken.
  const upgrade = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'];
  return [
    `HTTP/1.1 ${error.httpStatus} ${STATUS_CODES[error.httpStatus] ?? 'Refused'}`,
    'connection: close',
    ...(error.httpStatus === 426 ? upgrade : []),
    ...fields,
    `content-length: ${Buffer.byteLength(body)}`,
    ...(error.httpStatus === 405 ? ['allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] : []),
    '',
    method === 'HEAD' ? '' : body,
  ].join('\r\n');
}

/**
 * Says the last words and half-closes. What the client still sends is thrown away, not left in the kernel: closing
 * over unread bytes sends a reset, which may overtake the answer. The caller cuts the connection some time later.
 */
export function farewell(socket: Socket, words = ''): void {
  if (socket.writable) socket.end(words);
  socket.resume();
}
