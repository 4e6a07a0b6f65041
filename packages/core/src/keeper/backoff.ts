import type { Random } from '../clock.ts';
import { FlotillaError } from '../errors.ts';

/** Between which bounds a {@link Backoff} waits, in milliseconds. */
export interface BackoffBounds {
  /** No wait is shorter. */
  readonly leastMs: number;
  /** The ceiling doubles up to this one. */
  readonly mostMs: number;
}

export const backoffDefaults: BackoffBounds = Object.freeze({
  leastMs: 25, // a restart on the same machine is over by then
  mostMs: 30_000, // a third of the customary lease
});

/** A peer that says to wait for longer is not believed: a lease does not last that long. */
const mostToldMs = 60_000;

/**
 * The wait after `failures` in a row: anything from the least to a ceiling that doubles with each failure, starting at
 * twice the least ("full jitter", AWS Architecture Blog, "Exponential Backoff and Jitter"). A fleet that lost its registry
 * comes back spread out.
 * @param failures from 1 on.
 * @param cause what failed: where the peer said how long to wait (`retry-after`), no less than that, up to a minute, and up
 * to a half longer by chance, so that those who were sent away together do not come back together.
 */
export function backoffAfterMs(
  failures: number,
  { leastMs, mostMs }: BackoffBounds,
  random: Random,
  cause?: unknown,
): number {
  const ceilingMs = Math.min(mostMs, leastMs * 2 ** Math.min(failures, 21));
  const ownMs = Math.min(leastMs, mostMs) + random() * Math.max(0, ceilingMs - leastMs);
  const told = cause instanceof FlotillaError && cause.fromPeer ? cause.retryAfterMs : undefined;
  return told === undefined ? ownMs : Math.max(ownMs, Math.min(told, mostToldMs) * (1 + 0.5 * random()));
}

/** Counts the failures in a row for {@link backoffAfterMs}. */
export class Backoff {
  readonly #random: Random;
  readonly #bounds: BackoffBounds;
  #failures = 0;

  constructor(random: Random, bounds: BackoffBounds = backoffDefaults) {
    this.#random = random;
    this.#bounds = bounds;
  }

  /** The wait after one more failure, which was `cause`. */
  nextMs(cause?: unknown): number {
    this.#failures++;
    return backoffAfterMs(this.#failures, this.#bounds, this.#random, cause);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** A period that is never aligned with others: ± 20 %. */
export function jittered(periodMs: number, random: Random): number {
  return periodMs * (0.8 + 0.4 * random());
}
