import { type Clock, LatestMap, type Logger, nullLogger, type Store, toFlotillaError } from '@flotilla/core';
import type { Pace, RateVerdict } from './gcra.ts';
import { LocalRateLimiter, type RateLimiter } from './rate-limit.ts';
import { waitForRoom, windowRoom } from './sliding-window.ts';

/** Where limits are counted together. */
export interface SharedRateLimiterOptions {
  readonly store: Store;
  /** Windows begin by its wall time: instances whose clocks differ count into neighbouring windows. */
  readonly clock: Clock;
  /** Tells these limits from others in the store. Default `limit`. */
  readonly name?: string | undefined;
  readonly logger?: Logger | undefined;
}

/** Keys that are known at a time; beyond it the one that was asked longest ago is looked up anew. */
const maxKeys = 10_000;

/** After a failure the store is left alone for so long. */
const restMs = 1_000;

interface KnownKey {
  /** The window that the rest is about. */
  readonly window: number;
  /** What was counted in the window before; it does not change any more. */
  readonly previous: number;
  /** On the wall clock; until then every call would be refused. */
  refusedUntil: number;
}

/**
 * Counts together with all processes that share the store: a window that slides over two counters, as long as the bucket of
 * the pace takes to fill. So it allows what the pace allows in the long run, and about `burst` calls within one window. One
 * round trip per call; none while it is known that calls are refused, so a flood does not reach the store.
 *
 * While the store is away each process counts for itself: a limit is then kept by each, not by all together. Said once, and
 * tried again after a second. Early calls do not wait (`maxWaitMs` counts for nothing): a turn in a shared count cannot be
 * reserved without being lost when its caller leaves.
 */
export function createSharedRateLimiter(options: SharedRateLimiterOptions): RateLimiter {
  return new SharedRateLimiter(options);
}

class SharedRateLimiter implements RateLimiter {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #logger: Logger;
  readonly #local = new LocalRateLimiter();
  /** The latest asked last. */
  readonly #known = new LatestMap<string, KnownKey>(maxKeys);
  #restUntil = -Infinity;
  #isAway = false;

  constructor({ store, clock, name = 'limit', logger = nullLogger }: SharedRateLimiterOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#name = name;
    this.#logger = logger;
  }

  take(key: string, now: number, pace: Pace, maxWaitMs: number): RateVerdict | Promise<RateVerdict> {
    if (now < this.#restUntil) return this.#local.take(key, now, pace, maxWaitMs);
    const windowMs = Math.max(1, pace.burst * pace.intervalMs);
    const wallNow = this.#clock.wallNow();
    const window = Math.floor(wallNow / windowMs);
    const known = this.#known.get(key);
    if (known && wallNow < known.refusedUntil) return { allowed: false, waitMs: known.refusedUntil - wallNow };
    return this.#count(
      { key, window, windowMs, sharePassed: wallNow / windowMs - window, limit: pace.burst },
      known,
    ).then(
      (verdict) => {
        if (this.#isAway) this.#logger.info('shared limits are counted together again', { store: this.#store.name });
        this.#isAway = false;
        return verdict;
      },
      (thrown: unknown) => {
        this.#rest(thrown, now);
        return this.#local.take(key, now, pace, maxWaitMs);
      },
    );
  }

  async #count(
    {
      key,
      window,
      windowMs,
      sharePassed,
      limit,
    }: {
      readonly key: string;
      readonly window: number;
      readonly windowMs: number;
      readonly sharePassed: number;
      readonly limit: number;
    },
    known: KnownKey | undefined,
  ): Promise<RateVerdict> {
    const place = (which: number): string => `${this.#name}:${windowMs}:${which}:${key}`;
    const isKnown = known?.window === window;
    const previous = isKnown ? known.previous : ((await this.#store.count(place(window - 1))) ?? 0);
    const max = windowRoom(previous, sharePassed, limit);
    const ttlMs = Math.max(1, 2 * windowMs);
    const { value, added } = await this.#store.increment(place(window), { max, ttlMs });
    const waitMs = added ? 0 : Math.max(1, waitForRoom({ previous, current: value, limit }, sharePassed, windowMs));
    this.#known.set(key, { window, previous, refusedUntil: added ? 0 : this.#clock.wallNow() + waitMs });
    return { allowed: added, waitMs };
  }

  #rest(thrown: unknown, now: number): void {
    this.#restUntil = now + restMs;
    if (this.#isAway) return;
    this.#isAway = true;
    const { detail } = toFlotillaError(thrown);
    this.#logger.warn('shared limits cannot be counted; each process counts for itself', {
      store: this.#store.name,
      why: detail,
    });
  }
}
