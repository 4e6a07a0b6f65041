import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idsOf, ruled } from '../../test/ruled.ts';
import { subset } from './subset.ts';

const fleet = (count: number) => Array.from({ length: count }, (_, index) => ruled(`i${index}`));

test('a small service, and a size of 0, leave everybody in', () => {
  for (const [count, size] of [
    [5, 5],
    [5, 9],
    [500, 0],
  ] as const) {
    const { kept, leftOut } = subset(fleet(count), { size, seat: -1 }, 'me');
    assert.deepEqual([kept.length, leftOut.length], [count, 0]);
  }
});

test('the same caller has the same part, whatever the order; another one has another', () => {
  const members = fleet(100);
  const mine = subset(members, { size: 10, seat: -1 }, 'me').kept;
  assert.equal(mine.length, 10);
  assert.deepEqual(
    new Set(idsOf(subset(members.toReversed(), { size: 10, seat: -1 }, 'me').kept)),
    new Set(idsOf(mine)),
  );
  assert.notDeepEqual(idsOf(subset(members, { size: 10, seat: -1 }, 'other').kept), idsOf(mine));
});

test('without a seat: who goes is replaced by one, who comes takes the place of at most one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 12, max: 80 }), fc.nat(), fc.string(), (count, gone, caller) => {
      const members = fleet(count);
      const settings = { size: 10, seat: -1 };
      const before = new Set(subset(members, settings, caller).kept);
      const without = subset(
        members.filter((_, index) => index !== gone % count),
        settings,
        caller,
      ).kept;
      assert.ok(without.filter((member) => !before.has(member)).length <= 1);
    }),
    { numRuns: 50 },
  );
});

test('without a seat each instance has as many callers as others, on average', () => {
  const members = fleet(100);
  const counts = new Map<string, number>();
  for (let caller = 0; caller < 1_000; caller++) {
    for (const id of idsOf(subset(members, { size: 20, seat: -1 }, `caller ${caller}`).kept)) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  // 200 are due to each; the standard deviation of a fair draw is 12.6.
  for (const [id, count] of counts) assert.ok(count > 140 && count < 260, `${id} has ${count} callers`);
});

test('with seats every instance has equally many callers, give or take one for each round', () => {
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 90 }), fc.integer({ min: 3, max: 10 }), (count, size) => {
      const members = fleet(count);
      const callers = Math.floor(count / size);
      const counts = new Map<string, number>();
      for (let seat = 0; seat < callers * 3; seat++) {
        const { kept } = subset(members, { size, seat }, 'ignored');
        assert.ok(kept.length >= size && kept.length < size * 2, `${kept.length} of size ${size}`);
        for (const id of idsOf(kept)) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      assert.deepEqual(new Set(counts.values()), new Set([3]), 'three rounds');
      assert.equal(counts.size, count);
    }),
    { numRuns: 50 },
  );
});
