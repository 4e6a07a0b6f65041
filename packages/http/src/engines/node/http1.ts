import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { FlotillaError } from '@flotilla/core';
import { Http1Connection } from './http1-connection.ts';
import type { Http1Options } from './http1-options.ts';
import type { ListenerLimits } from './options.ts';
import type { Tongue } from './tongue.ts';

/** How a connection to HTTP/2 begins (RFC 9113 §3.4): its first bytes alone would pass for a method. */
const http2Preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/**
 * HTTP/1.1 on the parser of `node:http`. The server inside never listens: it is given sockets, so that it enforces
 * no time-out and no close of its own. Those are the listener's sweep and {@link Http1Connection}'s.
 */
export function http1Tongue(options: Http1Options): Tongue {
  const connections = new WeakMap<Socket, Http1Connection>();
  const mayUpgrade = (request: IncomingMessage): boolean =>
    connections.get(request.socket)?.mayUpgrade(request) ?? false;
  const server = parserOnly(options.limits, mayUpgrade);
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    connections.get(request.socket)?.take(request, response);
  };
  server.on('request', onRequest).on('checkContinue', onRequest).on('checkExpectation', onRequest);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, behind: Buffer) => {
    connections.get(socket)?.takeUpgrade(request, behind);
  });
  server.on('connect', (_request, socket: Socket) => {
    connections.get(socket)?.refuse(new FlotillaError('METHOD_NOT_ALLOWED', 'CONNECT is not served here'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    connections.get(socket)?.parserFailed(error);
  });
  return {
    name: 'http/1.1',
    detect,
    accept(socket, openedAt) {
      const connection = new Http1Connection(socket, openedAt, options);
      connections.set(socket, connection);
      server.emit('connection', socket);
      return connection;
    },
  };
}

/** A method begins with a letter; empty lines before it are forgiven (RFC 9112 §2.2). */
function detect(bytes: Uint8Array): 'yes' | 'no' | 'more' {
  const [first = 0] = bytes;
  if (first === 0x0d || first === 0x0a) return 'yes';
  if (!/[A-Za-z]/.test(String.fromCharCode(first))) return 'no';
  const length = Math.min(bytes.length, http2Preface.length);
  if (!http2Preface.subarray(0, length).equals(bytes.subarray(0, length))) return 'yes';
  return length < http2Preface.length ? 'more' : 'no';
}

function parserOnly(limits: ListenerLimits, mayUpgrade: (request: IncomingMessage) => boolean): Server {
  return createServer({
    insecureHTTPParser: false,
    requireHostHeader: false, // checked with everything else, with an answer in our words
    // Roomier than our own limits, which tell apart what is too large.
    maxHeaderSize: limits.maxRequestLineBytes + limits.maxHeaderBytes + 1_024,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    // WebSockets only. Any other Upgrade is not obeyed: such a request is an ordinary one (RFC 9110 §7.8).
    shouldUpgradeCallback: mayUpgrade,
    rejectNonStandardBodyWrites: true,
  }).setMaxListeners(0);
}
