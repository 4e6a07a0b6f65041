import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveDurations } from './clock.ts';
import { systemClock } from './engines/system-clock.ts';
import { ManualClock, settle } from './testing/index.ts';

for (const [name, clock] of [
  ['system', systemClock],
  ['manual', new ManualClock()],
] as const) {
  test(`the ${name} clock refuses what is no duration`, () => {
    for (const delayMs of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) {
      assert.throws(() => clock.setTimer(delayMs, () => {}), RangeError);
    }
  });

  test(`the ${name} clock never fires a timer of Infinity or of 40 days early`, async () => {
    let fired = 0;
    const timers = [Infinity, 40 * 86_400_000].map((delayMs) => clock.setTimer(delayMs, () => fired++));
    await settle();
    for (const timer of timers) timer.cancel();
    for (const timer of timers) timer.cancel();
    assert.equal(fired, 0);
  });
}

test('a manual clock fires timers at their own instants, in order, also those set on the way', async () => {
  const clock = new ManualClock();
  const seen: [string, number][] = [];
  const note = (name: string) => () => void seen.push([name, clock.now()]);
  clock.setTimer(20, note('b'));
  clock.setTimer(10, () => {
    note('a')();
    clock.setTimer(5, note('on the way'));
  });
  clock.setTimer(20, note('c'));
  const cancelled = clock.setTimer(15, note('never'));
  cancelled.cancel();
  await clock.advance(25);
  assert.deepEqual(seen, [
    ['a', 10],
    ['on the way', 15],
    ['b', 20],
    ['c', 20],
  ]);
  assert.equal(clock.wallNow(), Date.UTC(2026, 0, 1) + 25);
});

test('durations that were not given are the default, and one that is none is named', () => {
  const defaults = { waitMs: 5, pollMs: 7 };
  assert.deepEqual(resolveDurations({ waitMs: 0, pollMs: undefined }, defaults), { waitMs: 0, pollMs: 7 });
  assert.throws(() => resolveDurations({ pollMs: Number.NaN }, defaults), /RangeError: pollMs must be/);
  assert.deepEqual(defaults, { waitMs: 5, pollMs: 7 });
});
