import type { HostPattern } from './host-pattern.ts';
import type { PatternPiece } from './pattern.ts';
import type { Predicates, ReadRoute } from './route-spec.ts';

/** How a route came to take a method: it names it, it answers HEAD as it answers GET, or it takes every method. */
export type MethodTerms = 'named' | 'head-by-get' | 'every';

/** A route for one of its hosts and one way to take a method: the unit that is ordered and looked up. */
export interface RouteEntry<T> {
  readonly route: ReadRoute<T>;
  readonly host: HostPattern;
  readonly terms: MethodTerms;
  /** Undefined: every method. */
  readonly methods: ReadonlySet<string> | undefined;
  /** Place in the order of precedence, 0 first. */
  readonly rank: number;
}

const head: ReadonlySet<string> = new Set(['HEAD']);

/**
 * All entries of all routes, in the order in which they win when several match. Independent of the order in which the
 * routes are listed, as long as two of them differ (Gateway API, `HTTPRouteRule`, "Matches"): higher priority, exact
 * host over wildcard (longer first) over none, more exact path segment by segment, method named, more header fields,
 * more query parameters, listed first.
 */
export function orderEntries<T>(routes: readonly ReadRoute<T>[]): RouteEntry<T>[] {
  return routes
    .flatMap(entriesOf)
    .sort(compareEntries)
    .map((entry, rank) => ({ ...entry, rank }));
}

/**
 * The indices of the routes that can never be reached, because routes that win over them take exactly the same requests.
 * Patterns that differ only in their names are the same.
 */
export function findShadowed<T>(entries: readonly RouteEntry<T>[]): number[] {
  const seen = new Set<string>();
  const reachable = new Set<number>();
  const all = new Set<number>();
  for (const entry of entries) {
    all.add(entry.route.index);
    if (entry.terms === 'head-by-get') continue; // it stands or falls with its GET
    for (const method of entry.methods ?? ['']) {
      const key = keyOf(entry, method);
      if (!seen.has(key)) reachable.add(entry.route.index);
      seen.add(key);
    }
  }
  return [...all].filter((index) => !reachable.has(index)).sort((a, b) => a - b);
}

function entriesOf<T>(route: ReadRoute<T>): Omit<RouteEntry<T>, 'rank'>[] {
  const { methods } = route;
  const asHead = methods?.has('GET') && !methods.has('HEAD');
  return route.hosts.flatMap((host) => [
    { route, host, methods, terms: methods ? ('named' as const) : ('every' as const) },
    ...(asHead ? [{ route, host, methods: head, terms: 'head-by-get' as const }] : []),
  ]);
}

function compareEntries<T>(a: Omit<RouteEntry<T>, 'rank'>, b: Omit<RouteEntry<T>, 'rank'>): number {
  return (
    b.route.priority - a.route.priority ||
    hostWeight(b.host) - hostWeight(a.host) ||
    comparePieces(a.route.pattern.pieces, b.route.pattern.pieces) ||
    termsRank[a.terms] - termsRank[b.terms] ||
    b.route.headers.length - a.route.headers.length ||
    b.route.query.length - a.route.query.length ||
    a.route.index - b.route.index
  );
}

const termsRank: Readonly<Record<MethodTerms, number>> = { named: 0, 'head-by-get': 1, every: 2 };

function hostWeight(host: HostPattern): number {
  if (host.kind === 'every') return 0;
  return host.kind === 'exact' ? 1_000 : host.suffix.length; // a suffix has at most 253 characters
}

/** An end counts as static: `/shop` is more exact than `/shop/**`. Patterns that share no path may compare either way. */
function comparePieces(a: readonly PatternPiece[], b: readonly PatternPiece[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = pieceRank[a[i]?.kind ?? 'static'] - pieceRank[b[i]?.kind ?? 'static'];
    if (difference !== 0) return difference;
  }
  return 0;
}

const pieceRank: Readonly<Record<PatternPiece['kind'], number>> = { static: 0, param: 1, rest: 2, any: 3 };

/** Equal for entries that take the same requests. */
function keyOf<T>({ route, host }: RouteEntry<T>, method: string): string {
  const shape = route.pattern.pieces.map((piece) => (piece.kind === 'static' ? ['=', piece.text] : [piece.kind]));
  return JSON.stringify([host, shape, method, sorted(route.headers), sorted(route.query)]);
}

function sorted(predicates: Predicates): Predicates {
  return predicates.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
