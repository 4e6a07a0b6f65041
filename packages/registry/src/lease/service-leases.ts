import type { Random } from '@flotilla/core';
import type { Lease } from './lease.ts';
import type { RegistryLimits } from './limits.ts';
import { judgeLapsed, type Preservation } from './self-preservation.ts';

/** A lease in its place. Mutable: a renewal replaces the lease, the place stays. */
export interface Slot {
  readonly service: ServiceLeases;
  lease: Lease;
  /** The instant of the one entry in the expiry queue that counts for this slot; `Infinity`: none does. */
  queuedAt: number;
}

/** A pause of eviction, and since when (wall time). */
export interface PreservedService extends Preservation {
  readonly since: number;
}

/** The leases of one service, with what self-preservation has to remember of it. */
export class ServiceLeases {
  /** Text form of the identity. */
  readonly key: string;
  /** The name within the identity. */
  readonly name: string;
  readonly slots: Map<string, Slot> = new Map();
  /** Ids whose lease lapsed and who are still listed. */
  readonly lapsed: Set<string> = new Set();
  preservation: PreservedService | undefined;
  /** Monotonic instants of recent evictions, rising. */
  #evictedAt: number[] = [];

  constructor(key: string, name: string) {
    this.key = key;
    this.name = name;
  }

  /** Chooses, in random order, which of the lapsed may go now, and notes why the others may not. */
  judge(now: number, wallNow: number, limits: RegistryLimits, random: Random): readonly string[] {
    this.#evictedAt = this.#evictedAt.filter((at) => at > now - limits.evictionWindowMs);
    const { evict, preservation } = judgeLapsed(
      {
        expected: this.#expected(),
        lapsed: this.lapsed.size,
        recentlyEvicted: this.#evictedAt.length,
        preserving: this.preservation !== undefined,
      },
      limits,
    );
    this.preservation = preservation && { ...preservation, since: this.preservation?.since ?? wallNow };
    return evict === this.lapsed.size ? [...this.lapsed] : pickSome([...this.lapsed], evict, random);
  }

  /** One of them was evicted: it counts as missing until the window is over. */
  noteEviction(now: number): void {
    this.#evictedAt.push(now);
  }

  /** Nothing is left to remember: no instance, and no eviction that still counts. */
  isSpent(now: number, { evictionWindowMs }: RegistryLimits): boolean {
    return this.slots.size === 0 && !this.#evictedAt.some((at) => at > now - evictionWindowMs);
  }

  #expected(): number {
    let expected = 0;
    for (const { lease } of this.slots.values()) if (lease.expiresAt !== Infinity) expected++;
    return expected;
  }
}

/** `count` of `items`, each choice equally likely (Fisher–Yates, stopped early). Shuffles `items`. */
function pickSome<T>(items: T[], count: number, random: Random): T[] {
  for (let place = 0; place < count; place++) {
    const other = place + Math.floor(random() * (items.length - place));
    const [here, there] = [items[place], items[other]];
    if (here === undefined || there === undefined) continue;
    items[place] = there;
    items[other] = here;
  }
  return items.slice(0, count);
}
