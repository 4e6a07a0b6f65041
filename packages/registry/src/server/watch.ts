import type { Target } from '@flotilla/core';
import type { Change } from '../lease/change.ts';

/**
 * What a watcher is told.
 *
 * - `snapshot`: what comes is the whole list; what the watcher knew is replaced.
 * - `change`: one change of what the registry lists; what it means for the target says `seenBy`.
 */
export type WatchEvent = { readonly kind: 'snapshot' } | { readonly kind: 'change'; readonly change: Change };

/** What a {@link Watcher} is made with. */
export interface WatcherParts {
  /** Absent: everybody. */
  readonly target: Target | undefined;
  /** Whose it is. Absent: the registry's own. */
  readonly who?: string | undefined;
  /** Changes that it has not seen; undefined: it needs a snapshot. */
  readonly missed: readonly Change[] | undefined;
  readonly maxQueued: number;
  readonly collapsed: (droppedChanges: number) => void;
  readonly closed: (watcher: Watcher) => void;
}

/**
 * One watcher's place in the stream of changes. What it has not taken yet is bounded: when too many changes wait, they
 * are dropped and a snapshot, made when it is taken, stands for them all.
 *
 * | state | holds | exits |
 * |---|---|---|
 * | following | up to `maxQueued` changes | too many → behind; closed |
 * | behind | nothing: a snapshot is due | taken → following; closed |
 * | closed | nothing | none |
 */
export class Watcher {
  readonly target: Target | undefined;
  readonly who: string | undefined;
  readonly #parts: WatcherParts;
  readonly #closeListeners: (() => void)[] = [];
  #queue: Change[];
  #snapshotDue: boolean;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(parts: WatcherParts) {
    const missed = parts.missed ?? [];
    this.target = parts.target;
    this.who = parts.who;
    this.#parts = parts;
    this.#snapshotDue = parts.missed === undefined || missed.length > parts.maxQueued;
    this.#queue = this.#snapshotDue ? [] : [...missed];
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Changes now waiting. */
  get queued(): number {
    return this.#queue.length;
  }

  /** A change that may concern the target. */
  offer(change: Change): void {
    if (this.#closed) return;
    if (!this.#snapshotDue) this.#queue.push(change);
    if (this.#queue.length > this.#parts.maxQueued) {
      this.#parts.collapsed(this.#queue.length);
      this.resync();
    }
    this.wake();
  }

  /** The next thing that is taken is a snapshot. */
  resync(): void {
    this.#queue = [];
    this.#snapshotDue = true;
    this.wake();
  }

  /** Ends a {@link wait} without news. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Resolves when there is something to take, when somebody calls {@link wake}, and when it is closed. */
  wait(): Promise<void> {
    if (this.#closed || this.#snapshotDue || this.#queue.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Everything that waits; undefined once closed. A snapshot is of the moment in which it is taken. */
  take(): readonly WatchEvent[] | undefined {
    if (this.#closed) return undefined;
    if (this.#snapshotDue) {
      this.#snapshotDue = false;
      return [{ kind: 'snapshot' }];
    }
    const taken = this.#queue;
    this.#queue = [];
    return taken.map((change) => ({ kind: 'change', change }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.wake();
    this.#parts.closed(this);
    for (const listener of this.#closeListeners) listener();
  }

  /** Calls `listener` once, when it is closed. */
  onClose(listener: () => void): void {
    this.#closeListeners.push(listener);
  }
}

/** All watchers, found by what they watch: a change wakes those whom it may concern and nobody else. */
export class WatchHub {
  readonly #byService = new Map<string, Set<Watcher>>();
  readonly #byContract = new Map<string, Set<Watcher>>();
  readonly #ofAll = new Set<Watcher>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    this.#size++;
    this.#setFor(watcher.target).add(watcher);
  }

  remove(watcher: Watcher): void {
    if (!this.#setFor(watcher.target).delete(watcher)) return;
    this.#size--;
    const { target } = watcher;
    if (target && 'service' in target) dropEmpty(this.#byService, target.service);
    else if (target) dropEmpty(this.#byContract, target.contract);
  }

  announce(change: Change): void {
    for (const watcher of this.#ofAll) watcher.offer(change);
    for (const watcher of this.#byService.get(change.service) ?? []) watcher.offer(change);
    if (this.#byContract.size === 0) return;
    const names = new Set(
      [...(change.before?.contracts ?? []), ...(change.after?.contracts ?? [])].map(({ name }) => name),
    );
    for (const name of names) for (const watcher of this.#byContract.get(name) ?? []) watcher.offer(change);
  }

  *[Symbol.iterator](): Generator<Watcher, undefined> {
    yield* this.#ofAll;
    for (const watchers of this.#byService.values()) yield* watchers;
    for (const watchers of this.#byContract.values()) yield* watchers;
  }

  #setFor(target: Target | undefined): Set<Watcher> {
    if (!target) return this.#ofAll;
    return 'service' in target ? openSet(this.#byService, target.service) : openSet(this.#byContract, target.contract);
  }
}

function openSet(sets: Map<string, Set<Watcher>>, key: string): Set<Watcher> {
  const known = sets.get(key);
  if (known) return known;
  const made = new Set<Watcher>();
  sets.set(key, made);
  return made;
}

function dropEmpty(sets: Map<string, Set<Watcher>>, key: string): void {
  if (sets.get(key)?.size === 0) sets.delete(key);
}
