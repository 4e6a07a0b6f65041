import { type Judge, judgeByCode } from '@flotilla/balance';
import type { HttpResponse } from '@flotilla/http';

/**
 * What an answer says of the instance that gave it: a status from 500 on is a failure, except 501, which is an answer
 * like any other. Without an answer the error's code decides.
 */
export const judgeAnswer: Judge<HttpResponse> = (outcome, response) => {
  if (outcome || !response) return judgeByCode(outcome);
  return response.status >= 500 && response.status !== 501 ? 'failure' : 'success';
};
