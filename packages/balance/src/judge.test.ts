import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError, type Outcome } from '@flotilla/core';
import { judgeByCode, judgeByStatus } from './judge.ts';

const local = (code: string): FlotillaError => new FlotillaError(code, 'detail');
const fromPeer = (code: string, details = {}): FlotillaError =>
  new FlotillaError(code, 'detail', { fromPeer: true, ...details });

const rows: readonly [claim: string, Outcome, expected: string][] = [
  ['an answer', undefined, 'success'],
  ['no connection', local('CONNECT_FAILED'), 'failure'],
  ['a broken connection', local('CONNECTION_LOST'), 'failure'],
  ['no answer in time', local('DEADLINE_EXCEEDED'), 'failure'],
  ['an answer not understood', local('BAD_RESPONSE'), 'failure'],
  ['an instance that fails', fromPeer('INTERNAL'), 'failure'],
  ['an instance that takes no work', fromPeer('UNAVAILABLE'), 'failure'],
  ['an instance that sheds', fromPeer('UNAVAILABLE', { executed: 'no', retryAfterMs: 100 }), 'ignore'],
  ['a bug on this side', local('INTERNAL'), 'ignore'],
  ['our own cap', local('UNAVAILABLE'), 'ignore'],
  ['a caller that went away', local('CANCELLED'), 'ignore'],
  ['somebody missing behind the instance', fromPeer('NO_INSTANCE'), 'ignore'],
  ['a declared error', fromPeer('OUT_OF_STOCK', { executed: 'yes', httpStatus: 503 }), 'success'],
  ['a request that does not fit', fromPeer('INVALID_INPUT'), 'success'],
];

for (const [claim, outcome, expected] of rows) {
  test(`${claim}: ${expected}`, () => assert.equal(judgeByCode(outcome), expected));
}

const statusRows: readonly [claim: string, Outcome, status: number | undefined, expected: string][] = [
  ['a success', undefined, 200, 'success'],
  ['a refusal', undefined, 404, 'success'],
  ['an operation that is not there', undefined, 501, 'success'],
  ['an answer 500', undefined, 500, 'failure'],
  ['an answer 503', undefined, 503, 'failure'],
  ['a broken connection after a good head', local('CONNECTION_LOST'), 200, 'failure'],
  ['no connection', local('CONNECT_FAILED'), undefined, 'failure'],
];

for (const [claim, outcome, status, expected] of statusRows) {
  test(`by status, ${claim}: ${expected}`, () => {
    assert.equal(judgeByStatus(outcome, status === undefined ? undefined : { status }), expected);
  });
}
