import type { InstanceStatus } from '@flotilla/core';

/** What is remembered of an instance that is gone, so that late word of it does not bring it back. */
export interface Tombstone {
  readonly service: string;
  readonly id: string;
  /** The highest incarnation that was known. */
  readonly incarnation: number;
  /** What its owner gave, where that is another. */
  readonly declaredIncarnation?: number;
  readonly reason: 'deregistered' | 'evicted';
  /** The operator's word, which an eviction must not undo. */
  readonly override?: InstanceStatus;
  /** Monotonic. */
  readonly until: number;
}

/**
 * Tombstones in the order in which they end.
 *
 * - After `deregistered` only a higher incarnation may come: the same one is a late copy of what its owner ended.
 * - After `evicted` the same one may come too: the owner lived, only its renewals did not arrive.
 */
export class Tombstones {
  /** Insertion order is the order of ending, because lifetimes never get shorter. */
  readonly #byKey = new Map<string, Tombstone>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byKey.size;
  }

  add(stone: Tombstone): void {
    const key = keyOf(stone.service, stone.id);
    this.#byKey.delete(key);
    this.#byKey.set(key, stone);
    if (this.#byKey.size > this.#capacity) this.#dropOldest();
  }

  /** The tombstone that forbids this incarnation, if one does. */
  forbidding(service: string, id: string, incarnation: number, now: number): Tombstone | undefined {
    const stone = this.get(service, id, now);
    if (!stone) return undefined;
    const tooOld = stone.reason === 'deregistered' ? incarnation <= stone.incarnation : incarnation < stone.incarnation;
    return tooOld ? stone : undefined;
  }

  get(service: string, id: string, now: number): Tombstone | undefined {
    const stone = this.#byKey.get(keyOf(service, id));
    return stone && now < stone.until ? stone : undefined;
  }

  remove(service: string, id: string): void {
    this.#byKey.delete(keyOf(service, id));
  }

  /** Forgets those that have ended, `most` at a time. */
  prune(now: number, most: number): void {
    let pruned = 0;
    for (const [key, stone] of this.#byKey) {
      if (now < stone.until || pruned++ === most) return;
      this.#byKey.delete(key);
    }
  }

  [Symbol.iterator](): MapIterator<Tombstone> {
    return this.#byKey.values();
  }

  #dropOldest(): void {
    for (const key of this.#byKey.keys()) {
      this.#byKey.delete(key);
      return;
    }
  }
}

/** A service's text holds no line feed. */
function keyOf(service: string, id: string): string {
  return `${service}\n${id}`;
}
