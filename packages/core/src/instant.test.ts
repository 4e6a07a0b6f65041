import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asOneInstant, instantOf } from './instant.ts';
import { ManualClock } from './testing/index.ts';

test('an instant lasts as long as what runs in one go, and is read from one clock', async () => {
  const clock = new ManualClock();
  const other = new ManualClock();
  const seen: number[] = [];
  await asOneInstant(
    clock,
    7,
    async () => {
      seen.push(instantOf(clock), instantOf(other));
      await undefined;
      seen.push(instantOf(clock));
    },
    undefined,
    undefined,
  );
  assert.deepEqual(seen, [7, 0, 0]);
});

test('what comes after an instant within another one reads the clock', () => {
  const clock = new ManualClock();
  const inner = (): number => asOneInstant(clock, 2, () => instantOf(clock), undefined, undefined);
  const seen = asOneInstant(clock, 1, () => [instantOf(clock), inner(), instantOf(clock)], undefined, undefined);
  assert.deepEqual(seen, [1, 2, 0]);
});

test('an instant is over when its work throws', () => {
  const clock = new ManualClock();
  const failing = (): never => {
    throw new Error('failed');
  };
  assert.throws(() => asOneInstant(clock, 9, failing, undefined, undefined), /failed/);
  assert.equal(instantOf(clock), 0);
});
