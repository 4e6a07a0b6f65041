import type { HttpRequest } from './exchange.ts';
import { type HostPattern, hostOf, suffixesOf } from './host-pattern.ts';
import { patternParams } from './pattern.ts';
import { findShadowed, orderEntries, type RouteEntry } from './route-order.ts';
import { type Predicates, type RouteSpec, readRoute } from './route-spec.ts';
import { addToTrie, createTrie, type RouteTrie, visitTrie } from './route-trie.ts';

/** What a route table looks at. */
export type RoutedRequest = Pick<HttpRequest, 'method' | 'authority' | 'path' | 'query' | 'headers'>;

/** What a route table says of a request. */
export type RouteMatch<T> =
  | {
      readonly kind: 'found';
      readonly value: T;
      /** What the names in the pattern took, decoded. */
      readonly params: ReadonlyMap<string, string>;
      /** The pattern of the route, as it was written: a name for metrics and logs that has few values. */
      readonly pattern: string;
    }
  | {
      /** Routes take everything of the request but its method. */
      readonly kind: 'method';
      /** The methods that they take, sorted: for the field `allow`. */
      readonly allow: readonly string[];
    }
  | { readonly kind: 'none' };

/** Routes that were compiled together. It never changes; a reload makes a new one. */
export interface RouteTable<T> {
  match(request: RoutedRequest): RouteMatch<T>;
  /** Indices of the specs that no request can reach, because others take exactly the same ones. */
  readonly shadowed: readonly number[];
}

/**
 * Compiles routes. Which of several matching routes wins does not depend on the order of the list: higher `priority`,
 * exact host over `*.host` over none, the more exact path (text over `{name}` over `{*name}` over `**`, segment by
 * segment), method named, more header fields, more query parameters; only then the one listed first.
 *
 * ```ts
 * const table = compileRoutes([{ path: '/products/{id}', methods: ['GET'], value: product }]);
 * const found = table.match(request); // { kind: 'found', value: product, params: Map { id → '7' }, … }
 * ```
 *
 * @throws FlotillaError CONFIG_INVALID naming the pattern and what is wrong with it
 */
export function compileRoutes<T>(specs: readonly RouteSpec<T>[]): RouteTable<T> {
  const entries = orderEntries(specs.map((spec, index) => readRoute(spec, index)));
  const hosts = createHosts<T>();
  for (const entry of entries) addToTrie(trieOf(hosts, entry.host), entry);
  return { match: (request) => matchRequest(hosts, request), shadowed: findShadowed(entries) };
}

/** One trie per host pattern, so that a thousand virtual hosts cost a request no more than one. */
interface Hosts<T> {
  readonly exact: Map<string, RouteTrie<T>>;
  readonly below: Map<string, RouteTrie<T>>;
  readonly every: RouteTrie<T>;
}

function createHosts<T>(): Hosts<T> {
  return { exact: new Map(), below: new Map(), every: createTrie() };
}

function trieOf<T>(hosts: Hosts<T>, host: HostPattern): RouteTrie<T> {
  if (host.kind === 'every') return hosts.every;
  const [tries, key] = host.kind === 'exact' ? [hosts.exact, host.host] : [hosts.below, host.suffix];
  let trie = tries.get(key);
  if (!trie) {
    trie = createTrie();
    tries.set(key, trie);
  }
  return trie;
}

function matchRequest<T>(hosts: Hosts<T>, request: RoutedRequest): RouteMatch<T> {
  const search = new Search<T>(request);
  if (hosts.exact.size > 0 || hosts.below.size > 0) {
    const host = hostOf(request.authority);
    search.look(hosts.exact.get(host));
    if (hosts.below.size > 0) for (const suffix of suffixesOf(host)) search.look(hosts.below.get(suffix));
  }
  search.look(hosts.every);
  return search.result();
}

/** One request's way through the tries: keeps the best entry so far, and the methods of those that only lack that. */
class Search<T> {
  readonly #request: RoutedRequest;
  #best: RouteEntry<T> | undefined;
  #allow: Set<string> | undefined;
  #query: URLSearchParams | undefined;

  constructor(request: RoutedRequest) {
    this.#request = request;
  }

  look(trie: RouteTrie<T> | undefined): void {
    if (trie) visitTrie(trie, this.#request.path.segments, (entries) => this.#consider(entries));
  }

  result(): RouteMatch<T> {
    if (this.#best) {
      const { pattern, value } = this.#best.route;
      return {
        kind: 'found',
        value,
        params: patternParams(pattern, this.#request.path.segments),
        pattern: pattern.text,
      };
    }
    return this.#allow ? { kind: 'method', allow: [...this.#allow].sort() } : { kind: 'none' };
  }

  #consider(entries: readonly RouteEntry<T>[]): void {
    for (const entry of entries) {
      if (this.#best && this.#best.rank < entry.rank) return;
      if (!this.#fits(entry)) continue;
      if (!entry.methods || entry.methods.has(this.#request.method)) {
        this.#best = entry;
        return;
      }
      this.#allow ??= new Set();
      for (const method of entry.methods) this.#allow.add(method);
    }
  }

  #fits({ route }: RouteEntry<T>): boolean {
    return this.#fitsHeaders(route.headers) && this.#fitsQuery(route.query);
  }

  #fitsHeaders(predicates: Predicates): boolean {
    for (const [name, value] of predicates) {
      const field = this.#request.headers.get(name);
      if (field === undefined || (value !== undefined && field !== value)) return false;
    }
    return true;
  }

  #fitsQuery(predicates: Predicates): boolean {
    if (predicates.length === 0) return true;
    this.#query ??= new URLSearchParams(this.#request.query);
    for (const [name, value] of predicates) {
      const values = this.#query.getAll(name);
      if (values.length === 0) return false;
      // Backends differ in which of several they read, so all have to agree.
      if (value !== undefined && values.some((one) => one !== value)) return false;
    }
    return true;
  }
}
