import { toFlotillaError } from '@flotilla/core';
import { compileRoutes, type RouteSpec } from '@flotilla/http';
import type { RouteDefinition } from '../route-document.ts';
import { routeSpecs } from '../route-spec.ts';
import type { Value } from './value.ts';

/** A route and where it stands. */
export interface PlacedRoute {
  readonly route: RouteDefinition;
  readonly value: Value;
}

/** Checks what only shows when routes stand side by side: ids that repeat, and routes that nothing can reach. */
export function checkTable(routes: readonly PlacedRoute[]): void {
  checkIds(routes);
  const sound = routes.filter(({ route, value }) => compiles(route, value));
  checkReach(sound);
}

function checkIds(routes: readonly PlacedRoute[]): void {
  const seen = new Set<string>();
  for (const { route, value } of routes) {
    if (seen.has(route.id)) value.at('id', route.id).mistake(`another route has the id "${route.id}" already`);
    seen.add(route.id);
  }
}

/** Each pattern alone, so that a mistake in one does not hide those in others. */
function compiles(route: RouteDefinition, value: Value): boolean {
  let sound = true;
  for (const spec of routeSpecs(route, undefined)) {
    try {
      compileRoutes([spec]);
    } catch (thrown) {
      value.at('path', undefined).mistake(toFlotillaError(thrown).detail);
      sound = false;
    }
  }
  return sound;
}

/** Naming the winners takes a comparison with every route: done for the first few. */
const maxNamed = 10;

function checkReach(routes: readonly PlacedRoute[]): void {
  const specs = routes.flatMap(({ route, value }) => routeSpecs(route, { id: route.id, value }));
  for (const [count, index] of compileRoutes(specs).shadowed.entries()) {
    const spec = specs[index];
    if (!spec) continue;
    const winner = count < maxNamed ? specs.find((other) => other !== spec && shadows(other, spec)) : undefined;
    const who = winner ? `the route "${winner.value.id}" takes` : 'routes that win over it take';
    spec.value.value
      .at('path', undefined)
      .mistake(`nothing can reach "${spec.path}": ${who} exactly the same requests`);
  }
}

function shadows<T>(other: RouteSpec<T>, spec: RouteSpec<T>): boolean {
  return compileRoutes([other, spec]).shadowed.includes(1);
}
