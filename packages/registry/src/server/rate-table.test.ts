import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import { RateTable } from './rate-table.ts';

const twoASecond = { perSecond: 2, burst: 3 };

test('a burst is taken at once, then one at a time as they come', () => {
  const table = new RateTable(10);
  const took = (now: number) => table.take('a', twoASecond, now);
  assert.deepEqual([took(1_000), took(1_000), took(1_000), took(1_000)], [0, 0, 0, 500]);
  assert.equal(took(1_499), 1, 'a refusal takes nothing');
  assert.equal(took(1_500), 0);
  assert.equal(took(1_500), 500);
  assert.deepEqual([took(60_000), took(60_000), took(60_000), took(60_000)], [0, 0, 0, 500], 'no more than a burst');
});

test('one client does not use up what another one has', () => {
  const table = new RateTable(10);
  for (let i = 0; i < 5; i++) table.take('a', twoASecond, 0);
  assert.equal(table.take('b', twoASecond, 0), 0);
});

test('without a limit nothing is remembered', () => {
  const table = new RateTable(10);
  for (let i = 0; i < 5; i++) assert.equal(table.take('a', { perSecond: Infinity, burst: 1 }, 0), 0);
  assert.equal(table.size, 0);
});

test('clients are remembered up to a bound, those that were quiet longest go first', () => {
  const table = new RateTable(2);
  const once = { perSecond: 1, burst: 1 };
  table.take('a', once, 0);
  table.take('b', once, 1);
  assert.equal(table.take('a', once, 2), 998);
  table.take('c', once, 3);
  assert.equal(table.size, 2);
  assert.equal(table.take('b', once, 4) > 0, true, 'b was used after a');
  assert.equal(table.take('a', once, 4), 0, 'a was forgotten');
});

test('it takes what a bucket that is filled step by step takes', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 50; round++) {
    const rate = { perSecond: 1 + Math.floor(random() * 5), burst: 1 + Math.floor(random() * 6) };
    const table = new RateTable(1);
    let [tokens, last, now] = [rate.burst, 0, 0];
    for (let step = 0; step < 100; step++) {
      now += Math.floor(random() * 400);
      tokens = Math.min(rate.burst, tokens + ((now - last) * rate.perSecond) / 1_000);
      last = now;
      const takes = tokens >= 1 - 1e-9;
      assert.equal(table.take('a', rate, now) < 1e-6, takes, JSON.stringify({ round, step, rate, tokens }));
      if (takes) tokens -= 1;
    }
  }
});
