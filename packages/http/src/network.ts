import type { Endpoint } from '@flotilla/core';
import type { HttpHandler, HttpRequest, HttpResponse } from './exchange.ts';

/** Where a listener binds, or a listening socket that a supervisor opened and handed over. */
export type Bind = (
  | { readonly host: string /** 0 takes a free one. */; readonly port: number }
  | { /** Descriptor of a socket that already listens. */ readonly fd: number }
) & {
  /** Whether connections are encrypted, by the network's TLS configuration. Default false. A network in memory is not. */
  readonly tls?: boolean;
};

/** Whom to connect to. */
export interface HttpTarget {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /**
   * It speaks RSocket on the same port, and takes HTTP requests over it: many at a time on one connection. Default: it
   * does not. An engine that speaks HTTP/1.1 only passes it over.
   */
  readonly rsocket?: boolean;
  /** Certificates, as PEM, that its own has to be signed by. Default: those that Node trusts. An engine without TLS passes it over. */
  readonly ca?: string;
  /**
   * Asked for each address that {@link host} turns out to mean, before it is dialled; a text says why it is not. Default:
   * none is refused. An engine without names to resolve does not ask.
   */
  readonly refuses?: (address: string) => string | undefined;
}

/** A listener that is open. */
export interface HttpListener {
  readonly host: string;
  readonly port: number;
  /** Connections now open. */
  readonly connections: number;
  /** Requests now in hand. */
  readonly inFlight: number;
  /**
   * Takes no more connections, closes idle ones, lets requests in hand end until `deadlineMs` is over, then breaks the
   * rest. Resolves when no connection is left. Later calls share the first one's promise.
   */
  drain(deadlineMs: number): Promise<void>;
}

/**
 * Port: how HTTP messages travel. Engines: `@flotilla/http/node` (sockets) and `@flotilla/http/memory` (one process,
 * a manual clock). Whatever is written against this port runs on both.
 */
export interface HttpNetwork {
  /** @throws FlotillaError ADDRESS_IN_USE; CONFIG_INVALID for TLS without a certificate */
  listen(bind: Bind, handler: HttpHandler): Promise<HttpListener>;
  /** A pool of connections to one address. Opens nothing before its first request. It ends the calls that it is given. */
  connect(target: HttpTarget): Endpoint<HttpRequest, HttpResponse>;
}
