import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError, type Logger, nullLogger, type Store } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { createMemoryStore } from '@flotilla/store/memory';
import fc from 'fast-check';
import { type Pace, paceOf } from './gcra.ts';
import { createSharedRateLimiter } from './shared-rate-limiter.ts';
import { waitForRoom, windowRoom } from './sliding-window.ts';

const ten: Pace = paceOf({ ratePerSecond: 10, burst: 10 });

/** Two processes that share a store. */
function world(wrap: (store: Store) => Store = (store) => store) {
  const clock = new ManualClock({ epochMs: 0 });
  const lines: string[] = [];
  const write = (message: string): void => void lines.push(message);
  const logger: Logger = { ...nullLogger, info: write, warn: write };
  let asked = 0;
  const memory = createMemoryStore({ clock });
  const store = wrap({
    ...memory,
    increment(key, step, call) {
      asked += 1;
      return memory.increment(key, step, call);
    },
  });
  const process = () => {
    const limiter = createSharedRateLimiter({ store, clock, logger });
    return (key = 'k', pace = ten) => limiter.take(key, clock.now(), pace, 0);
  };
  return { clock, lines, one: process(), two: process(), asked: () => asked };
}

test('all together get what one would get alone', async () => {
  const { clock, one, two } = world();
  let allowed = 0;
  for (let turn = 0; turn < 20; turn++) {
    for (const take of [one, two]) if ((await take()).allowed) allowed += 1;
  }
  assert.equal(allowed, 10);
  await clock.advance(1_000);
  const { allowed: atOnce, waitMs } = await two();
  assert.deepEqual([atOnce, waitMs], [false, 100], 'the window before still counts in full');
  await clock.advance(100);
  assert.equal((await one()).allowed, true);
  assert.equal((await one()).allowed, false);
});

test('while calls are refused the store is not asked', async () => {
  const { one, clock, asked } = world();
  for (let turn = 0; turn < 11; turn++) await one();
  const before = asked();
  for (let turn = 0; turn < 1_000; turn++) assert.equal((await one()).allowed, false);
  assert.equal(asked(), before);
  await clock.advance(10_000);
  assert.equal((await one()).allowed, true);
});

test('keys have counts of their own', async () => {
  const { one } = world();
  for (let turn = 0; turn < 10; turn++) await one('a');
  assert.equal((await one('a')).allowed, false);
  assert.equal((await one('b')).allowed, true);
});

test('while the store is away each process counts for itself; both changes are said once', async () => {
  let isAway = true;
  const { one, two, clock, lines } = world((store) => ({
    ...store,
    count: (key) => (isAway ? Promise.reject(new FlotillaError('UNAVAILABLE', 'away')) : store.count(key)),
  }));
  let allowed = 0;
  for (let turn = 0; turn < 20; turn++) for (const take of [one, two]) if ((await take()).allowed) allowed += 1;
  assert.equal(allowed, 20);
  isAway = false;
  await clock.advance(1_000);
  assert.equal((await one()).allowed, true);
  assert.deepEqual(lines, [
    'shared limits cannot be counted; each process counts for itself',
    'shared limits cannot be counted; each process counts for itself',
    'shared limits are counted together again',
  ]);
});

/** Naive model: a list of every call that was allowed, with the same estimate of the window before. */
test('what two processes are told is what a list of everything says', async () => {
  const pace = fc.record({ ratePerSecond: fc.constantFrom(1, 10, 50), burst: fc.integer({ min: 1, max: 20 }) });
  const steps = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 700 }), on: fc.boolean() }), { maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(pace, steps, async (given, calls) => {
      const rate = paceOf(given);
      const windowMs = rate.burst * rate.intervalMs;
      const { clock, one, two } = world();
      const taken: number[] = [];
      const inWindow = (window: number): number => taken.filter((at) => Math.floor(at / windowMs) === window).length;
      for (const { afterMs, on } of calls) {
        await clock.advance(afterMs);
        const now = clock.wallNow();
        const window = Math.floor(now / windowMs);
        const estimate = inWindow(window - 1) * (1 - (now / windowMs - window)) + inWindow(window);
        const { allowed, waitMs } = await (on ? one : two)('k', rate);
        assert.equal(allowed, estimate + 1 <= rate.burst + 1e-6, `${estimate} of ${rate.burst}`);
        assert.equal(waitMs === 0, allowed);
        if (allowed) taken.push(now);
      }
      for (const at of taken) {
        const within = taken.filter((other) => other > at - windowMs && other <= at).length;
        assert.ok(within <= 2 * rate.burst, `${within} in one window`);
      }
    }),
    { numRuns: 60 },
  );
});

test('after the wait there is room, and a moment before there is none', () => {
  const counts = fc.record({
    previous: fc.integer({ min: 0, max: 30 }),
    current: fc.integer({ min: 0, max: 30 }),
    limit: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(counts, fc.double({ min: 0, max: 0.999, noNaN: true }), (given, sharePassed) => {
      const { previous, current, limit } = given;
      if (current + 1 <= windowRoom(previous, sharePassed, limit)) return;
      const at = sharePassed + waitForRoom(given, sharePassed, 1);
      const roomAt = (share: number): boolean =>
        share < 1
          ? current + 1 <= windowRoom(previous, share, limit)
          : 1 <= windowRoom(current, Math.min(1, share - 1), limit);
      assert.ok(roomAt(at + 1e-6), 'after');
      if (at - 1e-6 > sharePassed) assert.ok(!roomAt(at - 1e-6), 'before');
    }),
  );
});
