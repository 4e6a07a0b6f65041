import { isDeepStrictEqual } from 'node:util';
import type { Meter } from '@flotilla/core';
import { formatUpstream } from './document/upstream.ts';
import type { GatewayMetrics } from './metrics.ts';
import { createRoute, type Route } from './route.ts';
import type { RouteDefinition, RouteDocument } from './route-document.ts';
import { Table } from './table.ts';
import type { Lease, Upstreams } from './upstreams.ts';

/** Makes tables that share whatever did not change: upstreams, and routes with their counts and retry budgets. */
export class TableBuilder {
  readonly #upstreams: Upstreams;
  readonly #metrics: GatewayMetrics;
  readonly #meter: Meter;

  constructor(upstreams: Upstreams, metrics: GatewayMetrics, meter: Meter) {
    this.#upstreams = upstreams;
    this.#metrics = metrics;
    this.#meter = meter;
  }

  /** @throws FlotillaError CONFIG_INVALID; then nothing that it opened stays open. */
  build(version: number, document: RouteDocument, before: Table): Table {
    const leases = new Map<string, Lease>();
    const old = new Map(before.routes.map((route) => [route.definition.id, route]));
    try {
      const routes = document.routes.map((definition) => {
        return this.#route(definition, this.#lease(definition, leases), old.get(definition.id));
      });
      return new Table(version, document, routes, [...leases.values()]);
    } catch (thrown) {
      for (const lease of leases.values()) lease.release();
      throw thrown;
    }
  }

  #lease({ to }: RouteDefinition, leases: Map<string, Lease>): Lease {
    const name = formatUpstream(to);
    const lease = leases.get(name) ?? this.#upstreams.acquire(to);
    leases.set(name, lease);
    return lease;
  }

  #route(definition: RouteDefinition, lease: Lease, old: Route | undefined): Route {
    if (old && isDeepStrictEqual(old.definition, definition)) return old;
    return createRoute(definition, lease, {
      meter: this.#meter,
      metrics: old?.metrics ?? this.#metrics.route(definition.id),
      counts: old?.counts ?? { requests: 0, inFlight: 0, failures: 0 },
    });
  }
}
