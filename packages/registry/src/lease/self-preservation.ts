import type { RegistryLimits } from './limits.ts';

/** What one service's leases look like at a sweep. */
export interface LapseCount {
  /** Instances with a lease that are listed, lapsed ones included. */
  readonly expected: number;
  /** Those of them whose lease lapsed. */
  readonly lapsed: number;
  /** Evicted within the window; they count as expected and missing until it is over. */
  readonly recentlyEvicted: number;
  /** Whether eviction was already paused. */
  readonly preserving: boolean;
}

/** Why eviction is paused for a service, in numbers that an operator can check. */
export interface Preservation {
  readonly expected: number;
  readonly lapsed: number;
  readonly recentlyEvicted: number;
  /** Missing instances up to which eviction goes on. */
  readonly limit: number;
  /** The pause ends when so many of the lapsed ones are renewed. */
  readonly neededRenewals: number;
  /** It ends by itself after this long at the latest, when those that were evicted lately do not count any more. Absent: it does not. */
  readonly endsWithinMs?: number;
  /** A sentence with these numbers, and what ends the pause. */
  readonly reason: string;
}

/** How many of the lapsed leases may go, and why not all of them. */
export interface EvictionVerdict {
  readonly evict: number;
  readonly preservation?: Preservation;
}

/**
 * Self-preservation, after Eureka's. Single instances die; when many fall silent together, it is rather the network or
 * the registry that failed, and a list with dead instances is better than an empty one: callers eject those themselves.
 *
 * 1. Below `preserveFrom` instances every lapsed lease goes.
 * 2. While no more than `maxEvictedFraction` of a service (rounded up) is missing, every lapsed lease goes. Those
 *    evicted within the window count as missing: otherwise a partition, under which leases lapse one by one, would
 *    empty the list one small share at a time.
 * 3. Above it as many go as that share still permits, then none until enough renewals are back or an operator says
 *    that the lapsed ones are really gone.
 */
export function judgeLapsed(
  count: LapseCount,
  limits: Pick<RegistryLimits, 'preserveFrom' | 'maxEvictedFraction' | 'evictionWindowMs'>,
): EvictionVerdict {
  const { expected, lapsed, recentlyEvicted, preserving } = count;
  const whole = expected + recentlyEvicted;
  const limit = Math.ceil(limits.maxEvictedFraction * whole);
  const missing = lapsed + recentlyEvicted;
  if (whole < limits.preserveFrom || missing <= limit) return { evict: lapsed };
  const evict = preserving ? 0 : Math.max(0, limit - recentlyEvicted);
  const [listed, held] = [expected - evict, lapsed - evict];
  const neededRenewals = Math.min(missing - limit, held);
  const endsByItself = held <= Math.ceil(limits.maxEvictedFraction * listed);
  const windowS = limits.evictionWindowMs / 1_000;
  const reason =
    `${missing} of ${whole} instances fell silent, more than the ${limit} that may go within ${windowS} s: eviction waits ` +
    `until ${neededRenewals} of the ${held} that are held renew, ${endsByItself ? `${windowS} s at the longest, ` : ''}or an operator evicts them`;
  return {
    evict,
    preservation: {
      expected: listed,
      lapsed: held,
      recentlyEvicted: recentlyEvicted + evict,
      limit,
      neededRenewals,
      ...(endsByItself ? { endsWithinMs: limits.evictionWindowMs } : undefined),
      reason,
    },
  };
}
