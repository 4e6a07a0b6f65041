import type { RouteSpec } from '@flotilla/http';
import type { RouteDefinition } from './route-document.ts';

/** A route for the compiler that services use too: one spec for each of its path patterns. */
export function routeSpecs<T>(definition: RouteDefinition, value: T): readonly RouteSpec<T>[] {
  const { paths, hosts, methods, headers, query, priority } = definition;
  return paths.map((path) => ({
    path,
    ...(hosts.length === 0 ? undefined : { hosts }),
    ...(methods.length === 0 ? undefined : { methods }),
    headers: Object.fromEntries(headers),
    query: Object.fromEntries(query),
    priority,
    value,
  }));
}
