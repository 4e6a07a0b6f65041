import type { RateLimitSettings } from './client-policies.ts';

/** A rate as the algorithm wants it. */
export interface Pace {
  /** Milliseconds between two calls in the long run. */
  readonly intervalMs: number;
  /** Calls that may come at once. */
  readonly burst: number;
}

/** What one call is told. */
export interface RateVerdict {
  /** False: it is refused, and nothing was taken. */
  readonly allowed: boolean;
  /** How long it has to wait, or, refused, after how long a call would be allowed. */
  readonly waitMs: number;
}

/** The pace of a limit. */
export function paceOf({ ratePerSecond, burst }: Pick<RateLimitSettings, 'ratePerSecond' | 'burst'>): Pace {
  return { intervalMs: 1_000 / ratePerSecond, burst: burst > 0 ? burst : Math.max(1, Math.floor(ratePerSecond)) };
}

/**
 * The generic cell rate algorithm (ITU-T I.371): a bucket of `burst` tokens that is refilled at the rate, kept as a single
 * number, the time at which the bucket will be full again.
 *
 * ```
 *            now                 fullAt
 *   ──────────┼─────────┼────────┼──▶      tokens = burst − (fullAt − now) / interval
 *             └ a call takes one interval of it; it is early by what exceeds burst × interval
 * ```
 *
 * @param fullAt what this gave last time; anything before `now` is a full bucket
 * @param maxWaitMs how early a call may be: it takes its token now and goes later
 * @returns the new `fullAt`, or the old one when the call is refused
 */
export function takeToken(
  fullAt: number,
  now: number,
  { intervalMs, burst }: Pace,
  maxWaitMs: number,
): RateVerdict & { readonly fullAt: number } {
  const next = Math.max(fullAt, now) + intervalMs;
  const waitMs = Math.max(0, next - burst * intervalMs - now);
  // Sums of fractions are not exact: a millionth of an interval early is in time.
  if (waitMs <= intervalMs * 1e-6) return { allowed: true, waitMs: 0, fullAt: next };
  return waitMs <= maxWaitMs ? { allowed: true, waitMs, fullAt: next } : { allowed: false, waitMs, fullAt };
}
