import type { RouteEntry } from './route-order.ts';

/**
 * The entries of one host, by the segments of their patterns.
 *
 * ```
 *   /products/{id}   /products/new   /files/{*path}   /**
 *
 *   root ── any: [/**]
 *    ├─ products ─┬─ new ── ends: […]
 *    │            └─ {} ─── ends: […]
 *    └─ files ── rest: […]
 * ```
 *
 * Lists are in order of rank. A path visits at most the nodes whose patterns it fits so far.
 */
export interface RouteTrie<T> {
  readonly statics: Map<string, RouteTrie<T>>;
  param: RouteTrie<T> | undefined;
  /** Patterns that end here. */
  readonly ends: RouteEntry<T>[];
  /** Patterns that take all that follows, and something has to. */
  readonly rest: RouteEntry<T>[];
  /** Patterns that take all that follows, if anything does. */
  readonly any: RouteEntry<T>[];
}

export function createTrie<T>(): RouteTrie<T> {
  return { statics: new Map(), param: undefined, ends: [], rest: [], any: [] };
}

/** Entries have to be added in order of rank. */
export function addToTrie<T>(root: RouteTrie<T>, entry: RouteEntry<T>): void {
  let node = root;
  for (const piece of entry.route.pattern.pieces) {
    if (piece.kind === 'rest' || piece.kind === 'any') {
      node[piece.kind].push(entry);
      return;
    }
    node = piece.kind === 'static' ? staticChild(node, piece.text) : paramChild(node);
  }
  node.ends.push(entry);
}

/** Calls `visit` with each list of entries whose patterns take `segments`. */
export function visitTrie<T>(
  node: RouteTrie<T>,
  segments: readonly string[],
  visit: (entries: readonly RouteEntry<T>[]) => void,
  depth = 0,
): void {
  const segment = segments[depth];
  if (node.any.length > 0) visit(node.any);
  if (segment === undefined) {
    if (node.ends.length > 0) visit(node.ends);
    return;
  }
  // Only the last segment of a path can be empty: a trailing slash, which no name takes.
  if (node.rest.length > 0 && segment !== '') visit(node.rest);
  const next = node.statics.get(segment);
  if (next) visitTrie(next, segments, visit, depth + 1);
  if (node.param && segment !== '') visitTrie(node.param, segments, visit, depth + 1);
}

function staticChild<T>(node: RouteTrie<T>, text: string): RouteTrie<T> {
  let child = node.statics.get(text);
  if (!child) {
    child = createTrie();
    node.statics.set(text, child);
  }
  return child;
}

function paramChild<T>(node: RouteTrie<T>): RouteTrie<T> {
  node.param ??= createTrie();
  return node.param;
}
