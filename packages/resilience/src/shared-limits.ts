import type { Pace, RateVerdict } from './gcra.ts';
import { LocalRateLimiter, type RateLimiter } from './rate-limit.ts';

/** Limits that are to be counted together, from before the store is open on: until then each process counts for itself. */
export class SharedLimits {
  #together: RateLimiter | undefined;

  /** From now on these count. */
  countBy(limiter: RateLimiter): void {
    this.#together = limiter;
  }

  /** A limiter whose keys are apart from those of others. @param prefix `server:`, `client:orders:` */
  limiter(prefix: string): RateLimiter {
    const local = new LocalRateLimiter();
    return {
      take: (key: string, now: number, pace: Pace, maxWaitMs: number): RateVerdict | Promise<RateVerdict> =>
        (this.#together ?? local).take(prefix + key, now, pace, maxWaitMs),
    };
  }
}
