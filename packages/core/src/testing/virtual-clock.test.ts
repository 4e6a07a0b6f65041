import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from './virtual-clock.ts';

test('timers fire by their instants, those of one instant in the order in which they were set', async () => {
  const timers = fc.array(fc.record({ delayMs: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(timers, async (given) => {
      const clock = new VirtualClock();
      const fired: { at: number; name: number }[] = [];
      const set = given.map(({ delayMs }, name) =>
        clock.setTimer(delayMs, () => void fired.push({ at: clock.now(), name })),
      );
      for (const [index, { cancelled }] of given.entries()) if (cancelled) set[index]?.cancel();
      const kept = given.flatMap(({ delayMs, cancelled }, name) => (cancelled ? [] : [{ at: delayMs, name }]));
      assert.equal(clock.pendingTimers, kept.length);
      await clock.run(20);
      assert.deepEqual(
        fired,
        kept.toSorted((a, b) => a.at - b.at || a.name - b.name),
      );
      for (const timer of set) timer.cancel();
      assert.deepEqual([clock.pendingTimers, clock.now()], [0, 20]);
    }),
    { numRuns: 50 },
  );
});

test('what an event starts in promises is done before the next one', async () => {
  const clock = new VirtualClock();
  const heard: string[] = [];
  clock.setTimer(1, async () => {
    for (let step = 0; step < 5; step++) await undefined;
    heard.push(`first, at ${clock.now()}`);
    clock.setTimer(0, () => void heard.push(`set by the first, at ${clock.now()}`));
  });
  clock.setTimer(2, () => void heard.push('second'));
  await clock.run(5);
  assert.deepEqual(heard, ['first, at 1', 'set by the first, at 1', 'second']);
});
