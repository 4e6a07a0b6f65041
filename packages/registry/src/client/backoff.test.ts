import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import { Backoff, jittered } from './backoff.ts';
import { registryClientDefaults } from './options.ts';

test('the defaults of a registry client are these', () => {
  assert.deepEqual(registryClientDefaults, {
    requestTimeoutMs: 2_000,
    deregisterTimeoutMs: 2_000,
    pollEveryMs: 30_000,
    returnEveryMs: 30_000,
    silenceMs: 45_000,
  });
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
