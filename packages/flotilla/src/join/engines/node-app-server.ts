import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type Address, type Clock, enterCall } from '@flotilla/core';
import type { AppServer } from '../app-server.ts';
import type { ObservedRequests } from './observed-requests.ts';

/** What joining uses of a server of `node:http` or `node:https`; every framework on Node.js has one inside. */
export type HttpServer = Pick<
  Server,
  'address' | 'close' | 'closeIdleConnections' | 'closeAllConnections' | 'listening' | 'prependListener'
>;

/** What an app server is made of. */
export interface NodeAppServerParts {
  readonly server: HttpServer | undefined;
  /** Where the app listens, when there is no server to ask. */
  readonly place: Pick<Address, 'host' | 'port'>;
  /** Ends the app's own server and whatever else is the app's. */
  readonly onStop: (() => unknown) | undefined;
  readonly requests: ObservedRequests;
  readonly clock: Clock;
}

/**
 * The app's own server. With the server object its requests are seen: a listener that stands before the framework's makes
 * the call of a request the current one, and the framework runs on in it.
 */
export function nodeAppServer({ server, place, onStop, requests, clock }: NodeAppServerParts): AppServer {
  server?.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    enterCall(requests.take(request, response));
  });
  const protocol = server && 'setSecureContext' in server ? 'https' : 'http';
  return {
    address: () => (server ? listening(server, protocol) : { protocol, ...place }),
    get inFlight() {
      return requests.inFlight;
    },
    seen: server !== undefined || onStop !== undefined,
    leaving: () => requests.leave(),
    async close(deadlineMs) {
      const closed = Promise.all([stopApp(server, onStop), requests.idle()]).then(() => 0);
      const over = Promise.withResolvers<number>();
      const timer = clock.setTimer(deadlineMs, () => over.resolve(requests.inFlight));
      try {
        return await Promise.race([closed, over.promise]);
      } finally {
        timer.cancel();
        server?.closeAllConnections();
      }
    },
  } satisfies AppServer;
}

function listening(server: HttpServer, protocol: string): Address | undefined {
  const address = server.address();
  if (address === null || typeof address === 'string') return undefined;
  return { protocol, host: address.address, port: address.port };
}

async function stopApp(server: HttpServer | undefined, onStop: (() => unknown) | undefined): Promise<void> {
  await onStop?.();
  if (!server?.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve()); // an error says that it was closed already
    server.closeIdleConnections();
  });
}
