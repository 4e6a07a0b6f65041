import type { NodeEventKind } from './protocol.ts';

/** Told once. `lost`: the connection broke; whether something happened is not known, so look again. */
export type NodeWatch = (kind: NodeEventKind | 'lost') => void;

/** Told of everything until it is ended. None of these may throw. */
export interface PersistentListener {
  happened(kind: NodeEventKind, path: string): void;
  /** Another connection serves the watch: what happened in between was not told. */
  rearmed(): void;
}

interface Persistent {
  readonly path: string;
  readonly recursive: boolean;
  readonly listener: PersistentListener;
}

/** Who waits for what happens to which node. */
export class NodeWatches {
  readonly #data = new Map<string, Set<NodeWatch>>();
  readonly #children = new Map<string, Set<NodeWatch>>();
  readonly #persistent = new Set<Persistent>();

  /** @returns takes it back. */
  once(path: string, kind: 'data' | 'children', watch: NodeWatch): () => void {
    const sets = kind === 'data' ? this.#data : this.#children;
    const set = sets.get(path) ?? new Set();
    sets.set(path, set.add(watch));
    return () => {
      set.delete(watch);
      if (set.size === 0 && sets.get(path) === set) sets.delete(path);
    };
  }

  persist(path: string, recursive: boolean, listener: PersistentListener): () => void {
    const watch: Persistent = { path, recursive, listener };
    this.#persistent.add(watch);
    return () => this.#persistent.delete(watch);
  }

  /** What has to be armed again over each new connection. */
  *persistent(): Generator<{ path: string; recursive: boolean; rearmed: () => void }, undefined> {
    for (const { path, recursive, listener } of this.#persistent)
      yield { path, recursive, rearmed: () => listener.rearmed() };
  }

  happened(kind: NodeEventKind, path: string): void {
    if (kind !== 'children') tellOnce(this.#data, path, kind);
    if (kind === 'children' || kind === 'deleted') tellOnce(this.#children, path, kind);
    for (const watch of this.#persistent) {
      if (path === watch.path || (watch.recursive && isBelow(path, watch.path))) watch.listener.happened(kind, path);
    }
  }

  /** Another connection: watches that were left with the last one's server are told so and forgotten. */
  loseAll(): void {
    for (const sets of [this.#data, this.#children]) for (const path of [...sets.keys()]) tellOnce(sets, path, 'lost');
  }

  clear(): void {
    this.#data.clear();
    this.#children.clear();
    this.#persistent.clear();
  }
}

function tellOnce(sets: Map<string, Set<NodeWatch>>, path: string, kind: NodeEventKind | 'lost'): void {
  const set = sets.get(path);
  sets.delete(path);
  for (const watch of set ?? []) watch(kind);
}

function isBelow(path: string, root: string): boolean {
  return root === '/' || (path.startsWith(root) && path[root.length] === '/');
}
