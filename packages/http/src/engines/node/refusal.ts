import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type FlotillaError, problemMediaType, toProblem } from '@flotilla/core';

/** A whole answer, for requests that never became one: written to the socket past `node:http`, then the end. */
export function refusal(error: FlotillaError): string {
  const body = JSON.stringify(toProblem(error));
  // RFC 9110 §15.5.22 and RFC 6455 §4.2.2: which protocol, and which version of it, would be taken.
  const upgrade = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'];
  return [
    `HTTP/1.1 ${error.httpStatus} ${STATUS_CODES[error.httpStatus] ?? 'Refused'}`,
    'connection: close',
    ...(error.httpStatus === 426 ? upgrade : []),
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...(error.httpStatus === 405 ? ['allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] : []),
    '',
    body,
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
