import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ruled } from '../../test/ruled.ts';
import { warmth } from './warm-up.ts';

const epoch = 1_000_000;

const rows: readonly [string, { startedAt?: number; seenAt?: number }, number, number][] = [
  ['just come up: a tenth', { startedAt: epoch }, 0, 0.1],
  ['at half the time: a half', { startedAt: epoch }, 15_000, 0.5],
  ['at the end: all', { startedAt: epoch }, 30_000, 1],
  ['long ago: all', { startedAt: epoch - 1_000_000 }, 0, 1],
  ['does not say when it came up: all', {}, 0, 1],
  [
    'its clock is an hour ahead: counts from when it was seen',
    { startedAt: epoch + 3_600_000, seenAt: 0 },
    15_000,
    0.5,
  ],
];
for (const [name, given, now, expected] of rows) {
  test(name, () => {
    assert.ok(Math.abs(warmth(ruled('a', given), 30_000, now, epoch + now) - expected) < 1e-9);
  });
}

test('0 switches it off', () => {
  assert.equal(warmth(ruled('a', { startedAt: epoch }), 0, 0, epoch), 1);
});
