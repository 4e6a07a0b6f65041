import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attempts, allowances, begun, forgetMs, succeeded, waitMs } from './attempts.ts';

const allowance = { free: 3, maxWaitMs: 5_000 };

function after(failures: number, now = 1_000): Attempts | undefined {
  let attempts: Attempts | undefined;
  for (let failure = 0; failure < failures; failure++) attempts = begun(attempts, now);
  return attempts;
}

test('the first failures are free, then the wait doubles up to its limit, from the last attempt on', () => {
  const rows = [
    [0, 0],
    [2, 0],
    [3, 1_000],
    [4, 2_000],
    [5, 4_000],
    [6, 5_000],
    [1_000, 5_000],
  ] as const;
  for (const [failures, wait] of rows) assert.equal(waitMs(after(failures), allowance, 1_000), wait, `${failures}`);
  assert.equal(waitMs(after(5), allowance, 4_999), 1);
  assert.equal(waitMs(after(5), allowance, 5_000), 0);
});

test('failures are forgotten an hour after the last one', () => {
  const attempts = after(40, 0);
  assert.ok(waitMs(attempts, { free: 3, maxWaitMs: forgetMs * 2 }, forgetMs - 1) > 0);
  assert.equal(waitMs(attempts, allowance, forgetMs), 0);
  assert.deepEqual(begun(attempts, forgetMs), { failures: 1, lastAt: forgetMs });
});

test('a success takes back its own attempt and no other', () => {
  assert.equal(succeeded(after(7)).failures, 6);
  assert.equal(succeeded(undefined).failures, 0);
});

test('nobody is locked out of their account for longer than half a minute by what strangers do', () => {
  assert.deepEqual(allowances, {
    pair: { free: 5, maxWaitMs: 900_000 },
    address: { free: 50, maxWaitMs: 300_000 },
    account: { free: 50, maxWaitMs: 30_000 },
    signUp: { free: 20, maxWaitMs: 300_000 },
  });
});
