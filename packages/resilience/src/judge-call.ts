import type { Outcome } from '@flotilla/core';

/** What an outcome says of the service that was called; `ignore`: nothing. */
export type CallJudgement = 'success' | 'failure' | 'ignore';

/**
 * What counts as a failure of a service.
 *
 * | outcome | says |
 * |---|---|
 * | CONNECT_FAILED, CONNECTION_LOST, BAD_RESPONSE | failure |
 * | DEADLINE_EXCEEDED | failure, unless the call was not even started |
 * | INTERNAL from the service | failure |
 * | UNAVAILABLE from the service | failure, unless it refused with `retryAfterMs`: it protects itself and is well |
 * | the same from this side: a cap, an open breaker, a bug of our own | nothing |
 * | RATE_LIMITED, CANCELLED, NO_INSTANCE | nothing |
 * | any other error | success: the service worked and declined |
 */
export function judgeCall(outcome: Outcome): CallJudgement {
  if (!outcome) return 'success';
  switch (outcome.code) {
    case 'CONNECT_FAILED':
    case 'CONNECTION_LOST':
    case 'BAD_RESPONSE':
      return 'failure';
    case 'DEADLINE_EXCEEDED':
      return outcome.executed === 'no' ? 'ignore' : 'failure';
    case 'INTERNAL':
      return outcome.fromPeer ? 'failure' : 'ignore';
    case 'UNAVAILABLE':
      return outcome.fromPeer && !(outcome.executed === 'no' && outcome.retryAfterMs !== undefined)
        ? 'failure'
        : 'ignore';
    case 'RATE_LIMITED':
    case 'CANCELLED':
    case 'NO_INSTANCE':
      return 'ignore';
    default:
      return 'success';
  }
}
