import { formatUpstream } from './document/upstream.ts';
import type { Route, RouteCounts } from './route.ts';
import type { RouteDefinition } from './route-document.ts';

/** A route as a console shows it: plain JSON. */
export interface RouteView extends Omit<RouteDefinition, 'to' | 'headers' | 'query'> {
  /** As it stands in the document: `service://web`. */
  readonly to: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Since the id first appeared; reloads do not reset them. */
  readonly counts: Readonly<RouteCounts>;
}

/** A copy: it does not change any more. */
export function viewRoute({ definition, counts }: Route): RouteView {
  const { to, headers, query, ...rest } = definition;
  return {
    ...rest,
    to: formatUpstream(to),
    headers: Object.fromEntries(headers),
    query: Object.fromEntries(query),
    counts: { ...counts },
  };
}
