import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '../errors.ts';
import { seededRandom } from '../testing/index.ts';
import { Backoff, backoffAfterMs, backoffDefaults, jittered } from './backoff.ts';

test('the defaults of a backoff are these', () => {
  assert.deepEqual(backoffDefaults, { leastMs: 25, mostMs: 30_000 });
});

test('a ceiling below the least is the wait, and a peer is believed for a minute', () => {
  assert.equal(
    backoffAfterMs(9, { leastMs: 500, mostMs: 100 }, () => 0.9),
    100,
  );
  const away = (retryAfterMs: number, fromPeer = true) =>
    backoffAfterMs(1, backoffDefaults, () => 0.5, new FlotillaError('UNAVAILABLE', 'busy', { fromPeer, retryAfterMs }));
  assert.deepEqual([away(4_000), away(86_400_000), away(4_000, false)], [5_000, 75_000, 37.5]);
});

test('waits grow from 25 ms to at most 30 s, and begin anew after a success', () => {
  const longest = new Backoff(() => 0.999_999);
  const waits = Array.from({ length: 40 }, () => Math.round(longest.nextMs()));
  assert.deepEqual(waits.slice(0, 4), [50, 100, 200, 400]);
  assert.equal(Math.max(...waits), 30_000);
  longest.reset();
  assert.equal(Math.round(longest.nextMs()), 50);
  const shortest = new Backoff(() => 0);
  for (let i = 0; i < 40; i++) assert.equal(shortest.nextMs(), 25);
});

test('a period is never more than 20 % off, and spreads over all of that', () => {
  const random = seededRandom(3);
  const periods = Array.from({ length: 2_000 }, () => jittered(1_000, random));
  assert.ok(Math.min(...periods) >= 800 && Math.max(...periods) < 1_200);
  assert.ok(Math.min(...periods) < 820 && Math.max(...periods) > 1_180);
});
