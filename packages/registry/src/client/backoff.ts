import { FlotillaError, type Random } from '@flotilla/core';

const leastMs = 25;
const mostMs = 30_000;
/** A registry that says to wait for longer is not believed: a lease does not last that long. */
const mostToldMs = 60_000;

/**
 * Waits between tries: anything from 25 ms to a ceiling that doubles with each failure up to 30 s ("full jitter", AWS
 * Architecture Blog, "Exponential Backoff and Jitter"). A fleet that lost its registry comes back spread out.
 */
export class Backoff {
  readonly #random: Random;
  #failures = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * The wait after one more failure.
   * @param cause what failed: where the registry said how long to wait (`retry-after`), no less than that, up to a minute,
   * and up to a half longer by chance, so that those who were sent away together do not come back together.
   */
  nextMs(cause?: unknown): number {
    const ceilingMs = Math.min(mostMs, 2 * leastMs * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    const ownMs = leastMs + this.#random() * (ceilingMs - leastMs);
    const told = cause instanceof FlotillaError && cause.fromPeer ? cause.retryAfterMs : undefined;
    return told === undefined ? ownMs : Math.max(ownMs, Math.min(told, mostToldMs) * (1 + 0.5 * this.#random()));
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** A period that is never aligned with others: ± 20 %. */
export function jittered(periodMs: number, random: Random): number {
  return periodMs * (0.8 + 0.4 * random());
}
