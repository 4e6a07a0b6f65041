/** How often one client may do something. */
export interface Rate {
  /** On average; `Infinity`: no limit. */
  readonly perSecond: number;
  /** At once, after a pause. At least 1. */
  readonly burst: number;
}

/**
 * Token buckets by client, as the generic cell rate algorithm keeps them (ITU-T I.371): one number for each, the instant
 * at which its bucket is full again. Bounded: above `capacity` the one that was used longest ago is forgotten, whose
 * bucket is the likeliest to be full.
 */
export class RateTable {
  /** In the order of use. */
  readonly #fullAt = new Map<string, number>();
  readonly #capacity: number;
  /** Which was used last. */
  #newest: string | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /**
   * Takes one token.
   * @param now monotonic.
   * @returns 0, or the milliseconds until there is one; then nothing was taken.
   */
  take(key: string, rate: Rate, now: number): number {
    if (rate.perSecond === Infinity) return 0;
    const before = this.#fullAt.get(key);
    const waitMs = waitUntil(before, rate, now);
    if (waitMs > 0) return waitMs;
    const fullAt = Math.max(before ?? 0, now) + 1_000 / rate.perSecond;
    // Who comes again and again is in its place already: moving it would make the map anew every few times.
    if (before !== undefined && key !== this.#newest) this.#fullAt.delete(key);
    this.#fullAt.set(key, fullAt);
    this.#newest = key;
    if (this.#fullAt.size > this.#capacity) this.#forgetOldest();
    return 0;
  }

  /** The milliseconds until there is a token; 0: there is one. */
  waitMs(key: string, rate: Rate, now: number): number {
    return rate.perSecond === Infinity ? 0 : waitUntil(this.#fullAt.get(key), rate, now);
  }

  #forgetOldest(): void {
    for (const key of this.#fullAt.keys()) {
      this.#fullAt.delete(key);
      return;
    }
  }
}

function waitUntil(fullAt: number | undefined, { perSecond, burst }: Rate, now: number): number {
  if (fullAt === undefined) return 0;
  const everyMs = 1_000 / perSecond;
  // A token is a part of the way from empty to full.
  return Math.max(0, fullAt - now - (Math.max(1, burst) - 1) * everyMs);
}
