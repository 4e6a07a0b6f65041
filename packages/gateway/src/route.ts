import { compose, type Meter } from '@flotilla/core';
import type { HttpHandler } from '@flotilla/http';
import { compileFilters } from './filters/compile.ts';
import { cleanResponse } from './header-hygiene.ts';
import type { RouteMetrics } from './metrics.ts';
import type { RouteDefinition } from './route-document.ts';
import type { Lease } from './upstreams.ts';

/** What a route has done since its id first appeared. */
export interface RouteCounts {
  /** Requests that came. */
  requests: number;
  /** Of these, still in hand. */
  inFlight: number;
  /** Of these, answered or broken off by the gateway itself. */
  failures: number;
}

/** A route that can be used. */
export interface Route {
  readonly definition: RouteDefinition;
  /** What the upstream admits, filters, then the upstream. */
  readonly handle: HttpHandler;
  /** Fields that the filters write, in lower case: no client may have them removed. */
  readonly written: ReadonlySet<string>;
  readonly counts: RouteCounts;
  readonly metrics: RouteMetrics;
}

/** Joins a definition and its upstream. */
export function createRoute(
  definition: RouteDefinition,
  { endpoint, admit }: Pick<Lease, 'endpoint' | 'admit'>,
  parts: { readonly meter: Meter; readonly metrics: RouteMetrics; readonly counts: RouteCounts },
): Route {
  // Innermost: what filters set on an answer must not be what is cleaned off it.
  const cleaned: HttpHandler = (request, call) => endpoint.handle(request, call).then(cleanResponse);
  return {
    definition,
    // Outermost: judges what clients get in the end, and no route repeats what is refused.
    handle: compose([...(admit ? [admit] : []), ...compileFilters(definition, parts.meter)], cleaned),
    written: writtenFields(definition),
    counts: parts.counts,
    metrics: parts.metrics,
  };
}

function writtenFields({ filters }: RouteDefinition): ReadonlySet<string> {
  const written = filters.flatMap((filter) => (filter.kind === 'setRequestHeader' ? filter.fields : []));
  return new Set(written.map(([name]) => name));
}
