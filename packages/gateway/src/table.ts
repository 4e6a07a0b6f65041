import { compileRoutes, type RoutedRequest, type RouteMatch, type RouteTable } from '@flotilla/http';
import type { Route } from './route.ts';
import type { RouteDocument } from './route-document.ts';
import { routeSpecs } from './route-spec.ts';
import { createTrust, type Trust } from './trust.ts';
import type { Lease } from './upstreams.ts';

/**
 * The routes of one document. It never changes: a new document makes a new table.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | in use | requests enter and leave | retired |
 * | retired: another one took its place | requests that entered go on to their last byte | released, when the last one left |
 * | released: its shares in upstreams are given back | nothing | none |
 */
export class Table {
  readonly version: number;
  readonly document: RouteDocument;
  readonly trust: Trust;
  readonly routes: readonly Route[];
  readonly #match: RouteTable<Route>;
  readonly #leases: readonly Lease[];
  #inFlight = 0;
  #retired = false;
  readonly #released: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(version: number, document: RouteDocument, routes: readonly Route[], leases: readonly Lease[]) {
    this.version = version;
    this.document = document;
    this.trust = createTrust(document);
    this.routes = routes;
    this.#match = compileRoutes(routes.flatMap((route) => routeSpecs(route.definition, route)));
    this.#leases = leases;
  }

  /** The table of a gateway that was given no routes yet. */
  static empty(): Table {
    return new Table(0, { trustedProxies: [], trustContext: false, trustPriority: false, routes: [] }, [], []);
  }

  match(request: RoutedRequest): RouteMatch<Route> {
    return this.#match.match(request);
  }

  /** A request begins to use it. */
  enter(): void {
    this.#inFlight++;
  }

  /** A request that entered is over, with its last byte. */
  leave(): void {
    this.#inFlight--;
    this.#releaseIfOver();
  }

  /** No request enters any more. Resolves when it is released. */
  retire(): Promise<void> {
    this.#retired = true;
    this.#releaseIfOver();
    return this.#released.promise;
  }

  #releaseIfOver(): void {
    if (!this.#retired || this.#inFlight > 0) return;
    for (const lease of this.#leases) lease.release();
    this.#released.resolve();
  }
}
