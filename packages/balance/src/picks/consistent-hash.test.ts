import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { alike, candidates, type Numbered } from '../../test/candidates.ts';
import { createPicker } from './pick.ts';
import { hashText, Ring } from './ring.ts';

const keys = Array.from({ length: 2_000 }, (_, index) => `customer-${index}`);

function owners(pool: readonly Numbered[]): (Numbered | undefined)[] {
  const picker = createPicker('hash', pool, seededRandom(1), { maxLoad: Infinity });
  return keys.map((key) => picker.next(0, key));
}

test('hash: the same key goes to the same instance, whatever the order in which they are listed', () => {
  const pool = alike(20);
  const shuffled = pool.toSorted((a, b) => hashText(`x${a.id}`) - hashText(`x${b.id}`));
  assert.deepEqual(owners(pool), owners(shuffled));
});

test('hash: who goes takes along its own keys only, who comes takes keys and moves no others', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 0, max: 39 }), (count, gone) => {
      const pool = alike(count);
      const before = owners(pool);
      const left = pool.filter(({ index }) => index !== gone % count);
      const after = owners(left);
      for (const [place, owner] of before.entries()) {
        if (owner?.index !== gone % count) assert.equal(after[place], owner, `key ${place}`);
      }
    }),
    { numRuns: 30 },
  );
});

test('hash: keys are shared out by weight, within half of a share', () => {
  for (const weights of [Array.from({ length: 50 }, () => 1), Array.from({ length: 50 }, (_, n) => (n % 2) + 1)]) {
    const ring = new Ring(candidates(weights), weights);
    const counts = weights.map(() => 0);
    for (let n = 0; n < 50_000; n++) {
      const owner = ring.ownerOf(ring.find(`key ${n}`));
      counts[owner] = (counts[owner] ?? 0) + 1;
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, weight] of weights.entries()) {
      const share = (counts[index] ?? 0) / ((50_000 * weight) / total);
      assert.ok(share > 0.5 && share < 1.5, `${index} of weight ${weight} got ${share} times its share`);
    }
  }
});

test('hash: the ring finds what looking at all points would', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.string({ maxLength: 20 }), (count, key) => {
      const pool = alike(count);
      const ring = new Ring(
        pool,
        pool.map(() => 1),
      );
      assert.ok(ring.length >= count * 8);
      const found = ring.find(key);
      assert.ok(found >= 0 && found < ring.length);
      assert.equal(ring.find(key), found);
      const withoutOthers = new Ring(
        pool.filter(({ index }) => index === ring.ownerOf(found)),
        [1],
      );
      assert.equal(withoutOthers.ownerOf(withoutOthers.find(key)), 0);
    }),
  );
});

test('hash: nobody gets more than maxLoad times its share of the calls in flight, rounded up, one hot key or many', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 20 }),
      fc.constantFrom(1.1, 1.25, 2),
      fc.integer({ min: 1, max: 5 }),
      (weights, maxLoad, differentKeys) => {
        const pool = candidates(weights);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const picker = createPicker('hash', pool, seededRandom(1), { maxLoad });
        for (let inFlight = 1; inFlight <= 200; inFlight++) {
          const picked = picker.next(0, `key ${inFlight % differentKeys}`) as Numbered;
          picked.load += 1;
          const bound = Math.ceil((maxLoad * inFlight * picked.weight) / total);
          assert.ok(picked.load <= bound, `${picked.load} calls, bound ${bound}`);
        }
      },
    ),
  );
});

test('hash: a key whose instance takes nothing goes to the next one, and comes back', () => {
  const pool = alike(10);
  const picker = createPicker('hash', pool, seededRandom(1));
  const owner = picker.next(0, 'a') as Numbered;
  owner.status = 'busy';
  const other = picker.next(0, 'a') as Numbered;
  assert.notEqual(other, owner);
  assert.equal(picker.next(0, 'a'), other);
  owner.status = 'open';
  assert.equal(picker.next(0, 'a'), owner);
});
