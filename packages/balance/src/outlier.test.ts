import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { afterOutcome, afterTime, type Health, hasRoom, isPanic, type Judgement, newHealth } from './outlier.ts';
import { balanceDefaults } from './settings.ts';

const settings = balanceDefaults.outlier;

function after(judgements: readonly Judgement[], start: Health = newHealth(0), now = 0, room = true): Health {
  return judgements.reduce((health, judgement) => afterOutcome(health, judgement, now, settings, room), start);
}

const failures = (count: number): Judgement[] => Array.from({ length: count }, () => 'failure' as const);
const successes = (count: number): Judgement[] => Array.from({ length: count }, () => 'success' as const);

test('five failures in a row eject, four do not', () => {
  assert.equal(after(failures(4)).state, 'healthy');
  assert.deepEqual(after(failures(5)), { state: 'ejected', until: 30_000, timesEjected: 1 });
});

test('a success in between starts the row anew', () => {
  assert.equal(after([...failures(4), 'success', ...failures(4)]).state, 'healthy');
});

test('half of at least twenty calls failing in ten seconds ejects', () => {
  const mixed = Array.from({ length: 9 }, () => ['success', 'failure'] as const).flat();
  assert.equal(after(mixed).state, 'healthy', '18 outcomes are noise');
  assert.equal(after([...mixed, 'success', 'failure']).state, 'ejected');
  assert.equal(after([...successes(11), ...mixed, 'failure']).state, 'healthy', 'less than half');
});

test('a window forgets the one before', () => {
  const mixed = Array.from({ length: 9 }, () => ['success', 'failure'] as const).flat();
  const before = after(mixed);
  assert.equal(after(['success', 'failure'], before, 10_000).state, 'healthy');
});

test('a flapping instance stays away longer each time, and is forgiven for time in health', () => {
  let now = 0;
  const lengths: number[] = [];
  let health = newHealth(0);
  for (let round = 0; round < 12; round++) {
    health = after(failures(5), health, now);
    assert.equal(health.state, 'ejected');
    lengths.push(health.until - now);
    now = health.until;
  }
  assert.deepEqual(lengths.slice(0, 4), [30_000, 60_000, 90_000, 120_000]);
  assert.deepEqual(lengths.slice(-2), [300_000, 300_000]);
  const calm = after(failures(5), health, now + 12 * 30_000);
  assert.equal(calm.state === 'ejected' && calm.timesEjected, 1);
});

test('an ejection is over at its exact end, with a clean sheet', () => {
  const ejected = after(failures(5));
  assert.equal(afterTime(ejected, 29_999), ejected);
  const back = afterTime(ejected, 30_000);
  assert.equal(back.state, 'healthy');
  assert.equal(after(failures(4), back, 30_000).state, 'healthy');
});

test('late answers of an ejected instance change nothing', () => {
  const ejected = after(failures(5));
  assert.equal(after(['success', 'failure'], ejected, 100), ejected);
});

test('without room nobody is ejected, and the next failure asks again', () => {
  const crowded = after(failures(20), newHealth(0), 0, false);
  assert.equal(crowded.state, 'healthy');
  assert.equal(after(failures(1), crowded, 0, true).state, 'ejected');
});

const rooms: readonly [known: number, most: number][] = [
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 1],
  [5, 1],
  [6, 1],
  [7, 2],
  [10, 3],
  [100, 30],
];

for (const [known, most] of rooms) {
  test(`of ${known} instances at most ${most} are ejected`, () => {
    for (let ejected = 0; ejected <= known; ejected++) {
      assert.equal(hasRoom(known, ejected, settings), ejected < most);
    }
  });
}

test('the last one is never ejected, whatever is configured', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), fc.double({ min: 0, max: 1, noNaN: true }), (known, fraction) => {
      let ejected = 0;
      while (hasRoom(known, ejected, { ...settings, maxEjectedFraction: fraction })) ejected += 1;
      assert.ok(ejected <= Math.max(0, known - 1));
    }),
  );
});

test('2 of 5 healthy is a panic, 3 of 5 and half of 4 are not', () => {
  assert.equal(isPanic(5, 3, settings), true);
  assert.equal(isPanic(5, 2, settings), false);
  assert.equal(isPanic(4, 2, settings), false);
  assert.equal(isPanic(0, 0, settings), false);
});
