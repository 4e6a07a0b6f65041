/** After a failure a server is left alone for this long at the least, in milliseconds. */
export const leastBackoffMs = 500;

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
