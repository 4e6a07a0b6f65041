import type { FlotillaError, Random } from '@flotilla/core';

/**
 * May a failed attempt be repeated without harm, and could that help?
 *
 * | failure | repeated |
 * |---|---|
 * | `executed: 'no'`, status 5xx but not 501 or 508 | always |
 * | `executed: 'no'`, RATE_LIMITED with `retryAfterMs` | always, no sooner than that |
 * | `executed: 'no'`, any other 4xx, 501 or 508 | never: the same request gets the same answer |
 * | CONNECTION_LOST, DEADLINE_EXCEEDED, UNAVAILABLE with `executed: 'unknown'` | idempotent requests only (RFC 9110 §9.2.2) |
 * | CONNECT_FAILED, NO_INSTANCE with it: a callee of the callee could not be had | the same |
 * | anything else | never: it was executed, or it failed in a way that repeating does not cure |
 */
export function isRepeatable(failure: FlotillaError, idempotent: boolean): boolean {
  if (failure.executed === 'yes') return false;
  if (failure.executed === 'unknown') {
    return idempotent && curable.has(failure.code);
  }
  if (failure.code === 'RATE_LIMITED') return failure.retryAfterMs !== undefined;
  return failure.httpStatus >= 500 && failure.httpStatus !== 501 && failure.httpStatus !== 508;
}

/** Another try may reach another instance, or a better moment. */
const curable: ReadonlySet<string> = new Set([
  'CONNECTION_LOST',
  'DEADLINE_EXCEEDED',
  'UNAVAILABLE',
  'CONNECT_FAILED',
  'NO_INSTANCE',
]);

/** How waits grow. */
export interface Backoff {
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

/**
 * The wait before the retry that follows attempt `attempt` (from 1): a random part of a bound that doubles each time
 * ("full jitter"), so that callers who failed together do not come back together. A callee that names a time gets at
 * least that.
 */
export function backoffMs(attempt: number, backoff: Backoff, random: Random, retryAfterMs = 0): number {
  const bound = Math.min(backoff.backoffMaxMs, backoff.backoffBaseMs * 2 ** (attempt - 1));
  return retryAfterMs + random() * bound;
}
