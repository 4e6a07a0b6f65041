import type { HttpHandler, Peer } from '@flotilla/http';
import { isAnnounced } from '../announcement.ts';
import type { ServerConnectionOptions } from '../connection-options.ts';
import type { CallServer } from './call-server.ts';

/** How connections of RSocket to a listener are served: asked for each one. */
export type RSocketServing = (
  peer: Peer,
) => Pick<ServerConnectionOptions, 'responder' | 'accept' | 'leases' | 'events'>;

const servings = new WeakMap<HttpHandler, RSocketServing>();

/**
 * Says how whoever listens with `handler` serves RSocket on the same port: a network that speaks it looks here.
 * @returns the handler
 */
export function speakRSocket(handler: HttpHandler, serving: RSocketServing): HttpHandler {
  servings.set(handler, serving);
  return handler;
}

/** How a listener with this handler serves RSocket; undefined: it does not. */
export function rsocketServingOf(handler: HttpHandler): RSocketServing | undefined {
  return servings.get(handler);
}

/** Serves the calls of `responder()` on a connection. */
export function servingCalls(server: CallServer): RSocketServing {
  return () => {
    const responder = server.responder();
    return {
      responder,
      accept: (setup, caller) => responder.accept(setup, isAnnounced(setup), caller),
    };
  };
}
