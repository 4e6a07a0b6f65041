import type { HttpHandler, Peer } from '@flotilla/http';
import { isAnnounced } from '../announcement.ts';
import type { ServerConnectionOptions } from '../connection-options.ts';
import type { LeaseSource } from '../leases.ts';
import type { RSocketResponder } from '../responder-port.ts';
import type { CallServer } from './call-server.ts';

/**
 * How connections of RSocket to a listener are served: asked for each one.
 * @param http answers requests that hold the head of an HTTP request, where the listener has one for them
 */
export type RSocketServing = (
  peer: Peer,
  http?: RSocketResponder,
) => Pick<ServerConnectionOptions, 'responder' | 'accept' | 'leases' | 'events' | 'maxPayloadBytes'>;

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

/**
 * Serves calls of operations, and HTTP requests beside them, on one connection.
 * @param leases what a peer gets that asks for leases. Default: as many requests as a connection may have
 */
export function servingCalls(server: CallServer, leases?: LeaseSource): RSocketServing {
  return (_peer, http) => {
    const responder = server.responder(http);
    return {
      responder,
      leases,
      maxPayloadBytes: server.maxPayloadBytes,
      accept: (setup, caller) => responder.accept(setup, isAnnounced(setup), caller),
    };
  };
}

const servers = new WeakMap<HttpHandler, CallServer>();

/**
 * Says who serves the calls of whoever listens with `handler`, for callers in the same process.
 * @returns the handler
 */
export function serveDirectly(handler: HttpHandler, server: CallServer): HttpHandler {
  servers.set(handler, server);
  return handler;
}

/** Who serves the calls of a listener with this handler; undefined: nobody does. */
export function callServerOf(handler: HttpHandler): CallServer | undefined {
  return servers.get(handler);
}
