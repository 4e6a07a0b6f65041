import { compileRoutes, HttpHeaders, pathFromText, type RoutedRequest } from '@flotilla/http';
import { formatUpstream } from './document/upstream.ts';
import type { RouteDefinition } from './route-document.ts';
import { routeSpecs } from './route-spec.ts';
import type { Table } from './table.ts';

/** A request as a person describes it. */
export interface ExplainRequest {
  /** Default `GET`. */
  readonly method?: string;
  /** Host, with or without port. Default `localhost`. */
  readonly host?: string;
  /** Path with or without query, as it stands in a URL. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route says of a request. */
export interface Verdict {
  readonly id: string;
  readonly matches: boolean;
  /** `takes it`, `its path does not match`, …, or `storefront wins: it is more exact or has a higher priority`. */
  readonly reason: string;
}

/** Where a request would go. */
export interface Explanation {
  /** Version of the routes that were asked. */
  readonly version: number;
  /** The canonical path. */
  readonly path: string;
  /** Id of the route that takes it; undefined: 404, or 405 when {@link allow} says what would be taken. */
  readonly route: string | undefined;
  readonly to: string | undefined;
  /** What the names in the pattern took. */
  readonly params: Readonly<Record<string, string>>;
  readonly allow: readonly string[];
  /** All routes, in the order of the document. */
  readonly verdicts: readonly Verdict[];
}

/**
 * The routes that come nearest to taking a request, with why each does not: those that fail at the last condition first,
 * and among these those whose path shares most with the request's.
 */
export function nearestRoutes(table: Table, request: RoutedRequest, most: number): readonly Verdict[] {
  const judged = table.routes.slice(0, mostJudged).map(({ definition }) => ({
    verdict: judge(definition, request, undefined),
    passed: conditions.findIndex(({ relaxed }) => !takes({ ...definition, ...relaxed }, request)),
    shared: Math.max(...definition.paths.map((path) => sharedLength(path, request.path.text))),
  }));
  judged.sort((a, b) => b.passed - a.passed || b.shared - a.shared);
  return judged.slice(0, most).map(({ verdict }) => verdict);
}

/** Each takes some compiling. */
const mostJudged = 500;

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Asks each route alone, condition by condition: slow, and therefore a check on the compiled table. */
export function explain(table: Table, described: ExplainRequest): Explanation {
  const request = readDescription(described);
  const match = table.match(request);
  const winner = match.kind === 'found' ? match.value.definition : undefined;
  return {
    version: table.version,
    path: request.path.text,
    route: winner?.id,
    to: winner && formatUpstream(winner.to),
    params: match.kind === 'found' ? Object.fromEntries(match.params) : {},
    allow: match.kind === 'method' ? match.allow : [],
    verdicts: table.routes.map(({ definition }) => judge(definition, request, winner)),
  };
}

function readDescription({ method = 'GET', host = 'localhost', target, headers = {} }: ExplainRequest): RoutedRequest {
  const mark = target.indexOf('?');
  return {
    method,
    authority: host,
    path: pathFromText(mark < 0 ? target : target.slice(0, mark), { encodedSlash: 'keep' }),
    query: mark < 0 ? '' : target.slice(mark + 1),
    headers: new HttpHeaders(Object.entries(headers)),
  };
}

function judge(route: RouteDefinition, request: RoutedRequest, winner: RouteDefinition | undefined): Verdict {
  const failing = conditions.find(({ relaxed }) => !takes({ ...route, ...relaxed }, request));
  if (failing) return { id: route.id, matches: false, reason: failing.reason(route) };
  if (route.id === winner?.id) return { id: route.id, matches: true, reason: 'takes it' };
  return { id: route.id, matches: true, reason: `"${winner?.id}" wins: higher priority, or more exact` };
}

function takes(route: RouteDefinition, request: RoutedRequest): boolean {
  return compileRoutes(routeSpecs(route, true)).match(request).kind === 'found';
}

interface Condition {
  /** What is left out, so that only the conditions up to this one decide. */
  readonly relaxed: Partial<RouteDefinition>;
  reason(route: RouteDefinition): string;
}

const conditions: readonly Condition[] = [
  {
    relaxed: { hosts: [], methods: [], headers: [], query: [] },
    reason: ({ paths }) => `its path ${paths.join(', ')} does not match`,
  },
  {
    relaxed: { methods: [], headers: [], query: [] },
    reason: ({ hosts }) => `it serves the hosts ${hosts.join(', ')}`,
  },
  {
    relaxed: { methods: [], query: [] },
    reason: ({ headers }) => `it wants the header fields ${headers.map((field) => field.join(': ')).join(', ')}`,
  },
  {
    relaxed: { methods: [] },
    reason: ({ query }) => `it wants the query ${query.map((pair) => pair.join('=')).join('&')}`,
  },
  { relaxed: {}, reason: ({ methods }) => `it takes the methods ${methods.join(', ')}` },
];
