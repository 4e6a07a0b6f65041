import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { PartyClock } from './party-clock.ts';

test('a timer that nobody cancelled is left over, with its place; one that fired or was cancelled is not', async () => {
  const clock = new ManualClock();
  const own = new PartyClock(clock);
  own.setTimer(10, () => {});
  own.setTimer(20, () => {}).cancel();
  own.setTimer(30, () => {});
  await clock.advance(10);
  const left = own.leftovers();
  assert.equal(left.length, 1);
  assert.match(left[0] ?? '', /^a timer of 30 ms, set at .*party-clock\.test\.ts:\d+/);
});

test('the timer of all deadlines is not left over', () => {
  const own = new PartyClock(new ManualClock());
  new Call({ clock: own, random: seededRandom(1), deadline: 1_000 }).end();
  assert.deepEqual(own.leftovers(), []);
});

test('after its stop nothing fires, and nothing is set any more', async () => {
  const clock = new ManualClock();
  const own = new PartyClock(clock);
  let fired = 0;
  own.setTimer(10, () => fired++);
  own.stop();
  own.setTimer(10, () => fired++);
  await clock.advance(100);
  assert.deepEqual([fired, clock.pendingTimers, own.leftovers().length], [0, 0, 0]);
});

test('it refuses what is no duration, also when it is stopped', () => {
  const own = new PartyClock(new ManualClock());
  own.stop();
  assert.throws(() => own.setTimer(-1, () => {}), RangeError);
});
