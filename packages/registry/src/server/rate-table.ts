import { LatestMap } from '@flotilla/core';

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
  readonly #fullAt: LatestMap<string, number>;

  constructor(capacity: number) {
    this.#fullAt = new LatestMap(capacity);
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
    this.#fullAt.set(key, fullAt);
    return 0;
  }

  /** The milliseconds until there is a token; 0: there is one. */
  waitMs(key: string, rate: Rate, now: number): number {
    return rate.perSecond === Infinity ? 0 : waitUntil(this.#fullAt.get(key), rate, now);
  }
}

function waitUntil(fullAt: number | undefined, { perSecond, burst }: Rate, now: number): number {
  if (fullAt === undefined) return 0;
  const everyMs = 1_000 / perSecond;
  // A token is a part of the way from empty to full.
  return Math.max(0, fullAt - now - (Math.max(1, burst) - 1) * everyMs);
}
