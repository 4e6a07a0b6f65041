import type { LiveSetCache, PickExplanation } from '@flotilla/balance';
import type { Clock, Logger, Meter, Random, Resolver, Tracer } from '@flotilla/core';
import type { HttpHandler, HttpNetwork } from '@flotilla/http';
import type { Policies } from '@flotilla/resilience';
import type { AppliedTable } from './applied-table.ts';
import type { Authenticate } from './authenticate.ts';
import type { ExplainRequest, Explanation } from './explain.ts';
import type { InstanceAddressOptions } from './instance-addresses.ts';
import type { RouteDocument } from './route-document.ts';
import type { RouteView } from './route-view.ts';
import type { UpstreamsSettings } from './upstream-policies.ts';

/** What a gateway is made of. */
export interface GatewayOptions extends InstanceAddressOptions {
  /** How upstreams are reached. */
  readonly network: HttpNetwork;
  /**
   * `auto`: instances of ours that speak RSocket are asked over it, where the network can; `http`: all over HTTP/1.1.
   * Default `auto`.
   */
  readonly transport?: 'auto' | 'http' | undefined;
  /** Who finds the instances of `service://` and `contract://` upstreams. */
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: says nothing. */
  readonly logger?: Logger | undefined;
  /** Default: counts nothing. */
  readonly meter?: Meter | undefined;
  /** Default: traces nothing; the ids travel all the same. */
  readonly tracer?: Tracer | undefined;
  /** Says who a caller is. Default: nobody is let in to a route that requires it. */
  readonly authenticate?: Authenticate | undefined;
  /** The field `www-authenticate` of an answer 401 (RFC 9110 §11.6.1). Default `Bearer`. */
  readonly challenge?: string | undefined;
  /** Where the last known good instances of services are kept. Default: in memory only. */
  readonly cache?: LiveSetCache | undefined;
  /** Where the gateway runs; its own zone is preferred. Default: it does not know. */
  readonly zone?: string | undefined;
  /**
   * How instances of services are chosen, when a service is not asked any more, and how many requests it gets at a time: by
   * service, `*` for all. Default: the defaults of `@flotilla/balance`, and neither breaker nor cap.
   */
  readonly clients?: UpstreamsSettings | undefined;
  /** Of the process: their events tell of breakers and caps. Default: some of its own, which nobody sees. */
  readonly policies?: Policies | undefined;
  /** One line for each request, at its end. Default true. */
  readonly accessLog?: boolean | undefined;
  /**
   * Answers of the gateway's own tell a developer what happened: routes, services, addresses, errors. Only requests that
   * come over the loopback, to a name of the loopback, straight from whoever asks, are told. Default false; `flotilla dev`
   * sets it.
   */
  readonly developerErrors?: boolean | undefined;
  /** WebSockets of all routes at once; the next one is answered 503. Default 5,000: half of what a listener takes. */
  readonly maxWebSockets?: number | undefined;
  /** How long sockets stay whose route was changed or removed; then both ends are told 1001. Default 30,000. */
  readonly webSocketDrainMs?: number | undefined;
}

/** The only door. */
export interface Gateway {
  /** Give it to a listener whose network was made with `makeCall: outsideCalls(…)`. */
  readonly handler: HttpHandler;
  /** Version of the routes in use; 0 before any was applied. */
  readonly version: number;
  /** The routes in use, as they were given. */
  readonly document: RouteDocument;
  /** Requests in hand, to their last byte. */
  readonly inFlight: number;
  /**
   * Puts a document's routes in use, all at once. Requests in hand go on with the table that they entered; upstreams
   * that both tables name are kept as they are.
   * @throws FlotillaError CONFIG_INVALID, UNAVAILABLE after `close`; then the table before stays.
   */
  apply(document: RouteDocument): AppliedTable;
  /** The routes in use with their counts, in the order of the document. */
  routes(): readonly RouteView[];
  /** Upstreams that are open, as they stand in documents: also those that only requests in hand still need. */
  upstreams(): readonly string[];
  /**
   * Which route a request would take, and what each of the others says. Sends nothing.
   * @throws FlotillaError MALFORMED_REQUEST for a path that no listener would take.
   */
  explain(request: ExplainRequest): Explanation;
  /** Other settings of services count, from the next request on. @throws RangeError for values that do not fit. */
  configure(clients: UpstreamsSettings): void;
  /**
   * Why requests go where they go, of one service or of all.
   * @throws FlotillaError NO_ROUTE when no route names that service.
   */
  why(service: string | undefined): readonly PickExplanation[];
  /**
   * Takes no more WebSockets; after `afterMs` tells both ends of those that are left that they go away (1001), a second
   * later it cuts them. Resolves when none is left. Begin it with the drain of the listener, and let it end before that.
   */
  drainWebSockets(afterMs: number): Promise<void>;
  /** Takes no more requests, closes WebSockets, lets those in hand end, closes the upstreams. Later calls share the first one's promise. */
  close(): Promise<void>;
}
