import type { Random } from '@flotilla/core';

/** A period that is never aligned with others: ± 20 %. */
export function jittered(periodMs: number, random: Random): number {
  return periodMs * (0.8 + 0.4 * random());
}

const leastMs = 500;

/** The wait after `failures` in a row: anything up to a ceiling that doubles from 1 s to `mostMs`. */
export function backoffMs(failures: number, mostMs: number, random: Random): number {
  const ceilingMs = Math.min(mostMs, leastMs * 2 ** Math.min(failures, 20));
  return Math.min(leastMs, mostMs) + random() * Math.max(0, ceilingMs - leastMs);
}

/**
 * How often a change may be said at once (`RateLimiter` of Eureka's `InstanceInfoReplicator`): two in a burst, then one
 * every 15 s. Pure: time is an argument.
 */
export interface Allowance {
  readonly left: number;
  readonly at: number;
}

export const allowanceDefaults: { readonly burst: number; readonly everyMs: number } = Object.freeze({
  burst: 2,
  everyMs: 15_000,
});

/** @returns the allowance after one was used, or how long until one can be. */
export function use(before: Allowance, now: number): Allowance | { readonly waitMs: number } {
  const { burst, everyMs } = allowanceDefaults;
  const left = Math.min(burst, before.left + (now - before.at) / everyMs);
  return left >= 1 ? { left: left - 1, at: now } : { waitMs: Math.ceil((1 - left) * everyMs) };
}
