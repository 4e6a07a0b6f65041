import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import { backoffMs, isRepeatable } from './retry-rules.ts';

const failure = (code: string, details = {}): FlotillaError => new FlotillaError(code, 'detail', details);

const rows: readonly [claim: string, FlotillaError, command: boolean, idempotent: boolean][] = [
  ['a connection that was not made', failure('CONNECT_FAILED'), true, true],
  ['a callee that takes no work', failure('UNAVAILABLE', { fromPeer: true }), true, true],
  ['a callee that takes no work, or a proxy before it', failure('UNAVAILABLE', { executed: 'unknown' }), false, true],
  ['no instance', failure('NO_INSTANCE'), true, true],
  ['a connection that broke', failure('CONNECTION_LOST'), false, true],
  ['a connection that broke before the request was sent', failure('CONNECTION_LOST', { executed: 'no' }), true, true],
  ['an attempt without an answer', failure('DEADLINE_EXCEEDED'), false, true],
  [
    'a callee that could not reach its own',
    failure('CONNECT_FAILED', { executed: 'unknown', fromPeer: true }),
    false,
    true,
  ],
  ['a callee whose own takes no work', failure('UNAVAILABLE', { executed: 'unknown', fromPeer: true }), false, true],
  ['a callee that found no instance', failure('NO_INSTANCE', { executed: 'unknown', fromPeer: true }), false, true],
  ['an answer not understood', failure('BAD_RESPONSE'), false, false],
  ['a failure that was not declared', failure('INTERNAL', { fromPeer: true }), false, false],
  ['a declared error', failure('OUT_OF_STOCK', { executed: 'yes', httpStatus: 409 }), false, false],
  ['a declared error that says 503', failure('CLOSED_TODAY', { executed: 'yes', httpStatus: 503 }), false, false],
  ['a request that does not fit', failure('INVALID_INPUT'), false, false],
  ['an operation that is not served', failure('UNIMPLEMENTED'), false, false],
  ['an allowance used up', failure('RATE_LIMITED'), false, false],
  ['an allowance used up until then', failure('RATE_LIMITED', { retryAfterMs: 100 }), true, true],
  ['a caller that went away', failure('CANCELLED'), false, false],
];

for (const [claim, error, command, idempotent] of rows) {
  test(`${claim}: ${command ? 'anything' : idempotent ? 'only what is idempotent' : 'nothing'} is repeated`, () => {
    assert.equal(isRepeatable(error, false), command);
    assert.equal(isRepeatable(error, true), idempotent);
  });
}

const backoff = { backoffBaseMs: 25, backoffMaxMs: 1_000 };

test('the bound of the wait doubles up to its maximum', () => {
  const almostOne = (): number => 0.999999;
  const waits = [1, 2, 3, 6, 7, 50].map((attempt) => Math.round(backoffMs(attempt, backoff, almostOne)));
  assert.deepEqual(waits, [25, 50, 100, 800, 1_000, 1_000]);
});

test('waits fill their whole range: mean 12.5 ms ± 0.5, from below 1 ms to above 24 ms', () => {
  const random = seededRandom(7);
  const waits = Array.from({ length: 10_000 }, () => backoffMs(1, backoff, random));
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  assert.ok(Math.abs(mean - 12.5) < 0.5, `mean ${mean}`);
  assert.ok(Math.min(...waits) < 1 && Math.max(...waits) > 24);
});

test('a callee that names a time gets at least that, and its callers do not come back together', () => {
  assert.equal(
    backoffMs(1, backoff, () => 0, 2_000),
    2_000,
  );
  assert.equal(
    backoffMs(1, backoff, () => 0.5, 2_000),
    2_012.5,
  );
});
