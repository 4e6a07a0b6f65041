/** Where something was written. */
export interface Place {
  readonly source: 'file' | 'env' | 'flag';
  /** Name of the file, the variable or the flag. */
  readonly name: string;
  /** From 1; 0 when the value is the whole text of a variable or a flag. */
  readonly line: number;
  readonly column: number;
}

/** A value as it was written, before any schema has looked at it. Immutable. */
export type ConfigNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: null | boolean | number | string;
  /** The characters that were written: `1.10` where `value` is 1.1. */
  readonly text: string;
  readonly place: Place;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly place: Place;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly place: Place;
}

export interface MapEntry {
  readonly keyPlace: Place;
  readonly node: ConfigNode;
}

/** Names that would reach into the prototype of a plain object; refused as keys everywhere. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** `flotilla.yaml:12:5` where there is a line, else the name alone. */
export function formatPlace({ name, line, column }: Place): string {
  return line === 0 ? name : `${name}:${line}:${column}`;
}

/** The value without its places: plain arrays, and objects without a prototype. */
export function plainOf(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainOf);
  const plain: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of node.entries) plain[key] = plainOf(entry.node);
  return plain;
}

/** What was found on the way down a path. */
export interface Found {
  /** The node at the path; undefined when it is absent. */
  readonly node: ConfigNode | undefined;
  /** Where its key was written, or where it begins when it has no key. */
  readonly keyPlace: Place | undefined;
  /** The deepest place that exists on the way. */
  readonly place: Place | undefined;
}

/** Follows `path` from `root`, as far as it goes. */
export function find(root: ConfigNode | undefined, path: readonly PropertyKey[]): Found {
  let node = root;
  let keyPlace = root?.place;
  for (const step of path) {
    const child = node && childOf(node, step);
    if (!child) return { node: undefined, keyPlace: undefined, place: node?.place };
    node = child.node;
    keyPlace = child.keyPlace;
  }
  return { node, keyPlace, place: node?.place };
}

function childOf(node: ConfigNode, step: PropertyKey): MapEntry | undefined {
  if (node.kind === 'map') return node.entries.get(String(step));
  const item = node.kind === 'list' ? node.items[Number(step)] : undefined;
  return item && { node: item, keyPlace: item.place };
}

/** Puts `node` under the keys of `path`, all at its own place. */
export function under(path: readonly string[], node: ConfigNode): ConfigNode {
  return path.reduceRight<ConfigNode>(
    (inner, key) => ({
      kind: 'map',
      entries: new Map([[key, { keyPlace: node.place, node: inner }]]),
      place: node.place,
    }),
    node,
  );
}

/** Lays `upper` over `lower`: maps are joined key by key, all else is replaced. */
export function overlay(lower: ConfigNode | undefined, upper: ConfigNode | undefined): ConfigNode | undefined {
  if (!lower || !upper) return upper ?? lower;
  if (lower.kind !== 'map' || upper.kind !== 'map') return upper;
  const entries = new Map(lower.entries);
  for (const [key, entry] of upper.entries) {
    const node = overlay(entries.get(key)?.node, entry.node) ?? entry.node;
    entries.set(key, { keyPlace: entry.keyPlace, node });
  }
  return { kind: 'map', entries, place: lower.place };
}
