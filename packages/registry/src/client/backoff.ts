import type { Random } from '@flotilla/core';

const leastMs = 25;
const mostMs = 30_000;

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

  /** The wait after one more failure. */
  nextMs(): number {
    const ceilingMs = Math.min(mostMs, 2 * leastMs * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    return leastMs + this.#random() * (ceilingMs - leastMs);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** A period that is never aligned with others: ± 20 %. */
export function jittered(periodMs: number, random: Random): number {
  return periodMs * (0.8 + 0.4 * random());
}
