import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { type PlaceLimits, Places } from './places.ts';
import { WaitQueue } from './wait-queue.ts';

test('the queue agrees with sorting everybody each time', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('push' as const),
      rank: fc.integer({ min: 0, max: 3 }),
      deadline: fc.constantFrom(1, 2, 3, Infinity),
    }),
    fc.record({ kind: fc.constantFrom('first' as const, 'freshest' as const, 'stalest' as const, 'middle' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.integer({ min: 0, max: 8 }), (steps, room) => {
      const ours = new WaitQueue<{ rank: number; deadline: number; order: number }>();
      let naive: { rank: number; deadline: number; order: number }[] = [];
      let order = 0;
      for (const each of steps) {
        if (each.kind === 'push') {
          const waiter = { rank: each.rank, deadline: each.deadline, order: order++ };
          const out = ours.push(waiter, room);
          naive = [...naive, waiter].sort(
            (a, b) =>
              a.rank - b.rank ||
              (a.deadline === b.deadline ? 0 : a.deadline < b.deadline ? -1 : 1) ||
              a.order - b.order,
          );
          assert.equal(out, naive.length > room ? naive.pop() : undefined);
        } else {
          const gone = each.kind === 'middle' ? naive[naive.length >> 1] : ours[each.kind];
          if (gone) ours.remove(gone);
          naive = naive.filter((one) => one !== gone);
        }
        assert.equal(ours.first, naive[0]);
        assert.equal(ours.freshest, naive.filter(({ rank }) => rank === naive[0]?.rank).at(-1));
        assert.equal(
          ours.stalest,
          naive.find(({ rank }) => rank === naive.at(-1)?.rank),
        );
        assert.equal(ours.length, naive.length);
      }
    }),
  );
});

function stage(limit: number, more: Partial<PlaceLimits> = {}) {
  const clock = new ManualClock();
  let limits = (_rank: number): number => limit;
  const places = new Places({ limitOf: (rank) => limits(rank), ...more });
  const log: string[] = [];
  const wait = (name: string, rank: number, options: { deadlineMs?: number; maxQueued?: number } = {}): Call => {
    const call = new Call({
      clock,
      random: seededRandom(1),
      ...(options.deadlineMs === undefined ? {} : { deadline: clock.now() + options.deadlineMs }),
    });
    places.wait(call, rank, { maxQueued: options.maxQueued ?? 10, maxWaitMs: 1_000 }).then(
      (result) => log.push(`${name}: ${result ?? 'in'}`),
      (error: Error) => log.push(`${name}: ${error.message.split(':')[0]}`),
    );
    return call;
  };
  return {
    clock,
    places,
    log,
    wait,
    setLimits: (next: (rank: number) => number) => {
      limits = next;
    },
  };
}

test('the urgent come first, among equals the soonest due, and each gets its place as one is free', async () => {
  const { clock, places, log, wait } = stage(1);
  assert.equal(places.enter(1), true);
  assert.equal(places.enter(1), false);
  wait('bulk', 2);
  wait('late', 1, { deadlineMs: 900 });
  wait('soon', 1, { deadlineMs: 500 });
  wait('critical', 0);
  for (let index = 0; index < 4; index++) {
    places.leave();
    await clock.advance(0);
  }
  assert.deepEqual(log, ['critical: in', 'soon: in', 'late: in', 'bulk: in']);
  assert.equal(places.inFlight, 1);
});

test('a full queue lets the more urgent in and the least urgent out', async () => {
  const { clock, places, log, wait } = stage(1);
  places.enter(1);
  wait('bulk', 2, { maxQueued: 1 });
  wait('critical', 0, { maxQueued: 1 });
  wait('probe', 3, { maxQueued: 1 });
  wait('none may wait', 0, { maxQueued: 0 });
  await clock.advance(0);
  assert.deepEqual(log, ['bulk: queue full', 'probe: queue full', 'none may wait: queue full']);
});

test('nobody waits longer than allowed, nor than its caller wants; who left takes no place', async () => {
  const { clock, places, log, wait } = stage(1);
  places.enter(1);
  wait('patient', 1);
  wait('due', 1, { deadlineMs: 100 });
  const cancelled = wait('cancelled', 1);
  cancelled.cancel();
  await clock.advance(100);
  await clock.advance(900);
  assert.deepEqual(log, ['cancelled: CANCELLED', 'due: DEADLINE_EXCEEDED', 'patient: waited']);
  places.leave();
  assert.deepEqual([places.inFlight, places.queued], [0, 0]);
  assert.equal(clock.pendingTimers <= 1, true, 'only the wheel of deadlines may be armed');
});

test('limits that rise let in who waits', async () => {
  const { clock, places, log, wait, setLimits } = stage(0);
  wait('bulk', 2);
  wait('default', 1);
  setLimits((rank) => (rank <= 1 ? 5 : 0));
  places.admit();
  await clock.advance(0);
  assert.deepEqual(log, ['default: in']);
});

test('of a closed queue who came last comes first, and who waits for longest gives way, the least urgent before all', async () => {
  const { clock, places, log, wait } = stage(1, { freshestFirst: () => true });
  places.enter(1);
  wait('bulk', 2);
  wait('old', 1, { deadlineMs: 500 });
  wait('new', 1, { deadlineMs: 900 });
  assert.equal(places.dropStalest(3), false, 'for a probe nobody has to go');
  assert.equal(places.dropStalest(1), true);
  places.leave();
  await clock.advance(0);
  assert.deepEqual(log, ['bulk: stale', 'new: in']);
  assert.equal(places.dropStalest(1), true);
  assert.equal(places.dropStalest(0), false);
  await clock.advance(0);
  assert.deepEqual(log.slice(2), ['old: stale']);
});

test('a turn lets in as many as it bears, those that wait in the next one; the urgent more of them', async () => {
  const turns: (() => void)[] = [];
  const { clock, places, log, wait } = stage(100, {
    turnLimitOf: (rank) => (rank === 0 ? 3 : 2),
    afterTurn: (listener) => turns.push(listener),
  });
  assert.deepEqual(
    [1, 1, 1, 0, 0].map((rank) => places.enter(rank)),
    [true, true, false, true, false],
  );
  for (const name of ['a', 'b', 'c']) wait(name, 1);
  places.leave();
  await clock.advance(0);
  assert.deepEqual(log, [], 'a place is free, the turn is full');
  assert.equal(turns.length, 1);
  turns.shift()?.();
  await clock.advance(0);
  assert.deepEqual(log, ['a: in', 'b: in']);
  turns.shift()?.();
  await clock.advance(0);
  assert.deepEqual([log.at(-1), places.queued, turns.length], ['c: in', 0, 1]);
});
