import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeadlineWheel } from './deadline-wheel.ts';
import { ManualClock } from './testing/index.ts';

test('every entry expires at the first tick at or after its deadline, unless it was removed', async () => {
  const entries = fc.array(fc.record({ deadline: fc.integer({ min: 0, max: 2_000 }), removed: fc.boolean() }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(entries, async (plan) => {
      const clock = new ManualClock();
      const wheel = new DeadlineWheel(clock);
      const expiredAt = plan.map(() => -1);
      const added = plan.map(({ deadline }, index) => {
        const entry = { deadline, expire: () => void expiredAt.splice(index, 1, clock.now()) };
        wheel.add(entry);
        return entry;
      });
      for (const [index, { removed }] of plan.entries()) if (removed) wheel.remove(added[index] as (typeof added)[0]);
      await clock.advance(2_100);
      const expected = plan.map(({ deadline, removed }) => (removed ? -1 : Math.ceil(deadline / 10) * 10));
      assert.deepEqual(expiredAt, expected);
    }),
    { numRuns: 30 },
  );
});

test('an expiring entry may add another', async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const seen: number[] = [];
  wheel.add({
    deadline: 10,
    expire: () => wheel.add({ deadline: 30, expire: () => void seen.push(clock.now()) }),
  });
  await clock.advance(100);
  assert.deepEqual(seen, [30]);
});
