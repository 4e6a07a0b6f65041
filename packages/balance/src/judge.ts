import type { Outcome } from '@flotilla/core';
import type { Judgement } from './outlier.ts';

/**
 * What a call says of the instance that took it. `ignore`: nothing, for example because the caller went away.
 * @param outcome the error that it failed with, also after the answer had begun; undefined when it ended well.
 * @param response the answer, when there was one.
 */
export type Judge<Res> = (outcome: Outcome, response: Res | undefined) => Judgement | 'ignore';

/**
 * The default: judges by the error's code.
 *
 * | outcome | says |
 * |---|---|
 * | CONNECT_FAILED, CONNECTION_LOST, DEADLINE_EXCEEDED, BAD_RESPONSE | failure |
 * | INTERNAL, UNAVAILABLE from the instance | failure |
 * | UNAVAILABLE from the instance, not executed and with `retryAfterMs` | nothing: it protects itself, and is well |
 * | the same from this side of the wire (our own cap, our own bug) | nothing |
 * | CANCELLED, NO_INSTANCE | nothing |
 * | any other error | success: the instance worked and declined |
 */
export function judgeByCode(outcome: Outcome): Judgement | 'ignore' {
  if (!outcome) return 'success';
  switch (outcome.code) {
    case 'CONNECT_FAILED':
    case 'CONNECTION_LOST':
    case 'DEADLINE_EXCEEDED':
    case 'BAD_RESPONSE':
      return 'failure';
    case 'UNAVAILABLE':
      // Ejecting who sheds would leave its load to the others, who then shed as well.
      if (outcome.executed === 'no' && outcome.retryAfterMs !== undefined) return 'ignore';
      return outcome.fromPeer ? 'failure' : 'ignore';
    case 'INTERNAL':
      return outcome.fromPeer ? 'failure' : 'ignore';
    case 'CANCELLED':
    case 'NO_INSTANCE':
      return 'ignore';
    default:
      return 'success';
  }
}

/**
 * For callers that pass answers on as they are: a status from 500 on is a failure, except 501, which is an answer like any
 * other. Without an answer the error's code decides.
 */
export const judgeByStatus: Judge<{ readonly status: number }> = (outcome, response) => {
  if (outcome || !response) return judgeByCode(outcome);
  return response.status >= 500 && response.status !== 501 ? 'failure' : 'success';
};
