import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { candidates, type Numbered } from '../../test/candidates.ts';
import { createPicker, type PickPolicy, pickPolicies } from './pick.ts';

function shares(policy: PickPolicy, pool: readonly Numbered[], picks: number, random: Random): number[] {
  const pick = createPicker(policy, pool, random);
  const counts = pool.map(() => 0);
  for (let n = 0; n < picks; n++) {
    const picked = pick.next(0);
    assert.ok(picked);
    counts[picked.index] = (counts[picked.index] ?? 0) + 1;
  }
  return counts.map((count) => count / picks);
}

/** `sticky` alone does not share out: calls without a key all go to one. */
const policies: readonly PickPolicy[] = pickPolicies.filter((policy) => policy !== 'sticky');

for (const policy of policies) {
  test(`${policy}: nobody is picked from nobody, the only one always`, () => {
    assert.equal(createPicker(policy, [], seededRandom(1)).next(0), undefined);
    const [only] = candidates([0]);
    assert.ok(only);
    assert.equal(createPicker(policy, [only], seededRandom(1)).next(0), only);
  });

  test(`${policy}: idle instances share by weight, each within 1 % of all picks`, () => {
    for (const weights of [
      [1, 1, 1, 1, 1],
      [1, 2, 3, 4],
      [100, 1],
      [0.5, 0.25, 0.25],
    ]) {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const measured = shares(policy, candidates(weights), 50_000, seededRandom(11));
      for (const [index, weight] of weights.entries()) {
        const share = measured[index] ?? 0;
        assert.ok(Math.abs(share - weight / total) < 0.01, `weights ${weights}: ${index} got ${share}`);
      }
    }
  });

  test(`${policy}: weight 0 is never picked while others have any`, () => {
    assert.deepEqual(shares(policy, candidates([0, 3, 0]), 1_000, seededRandom(2)), [0, 1, 0]);
  });

  test(`${policy}: somebody is picked whatever weights were registered`, () => {
    for (const weights of [
      [1e308, 1.7e308, 1e308],
      [Infinity, 1, Infinity],
      [1e308, 5e-324],
      [Number.NaN, -1, 1],
    ]) {
      const picks = createPicker(policy, candidates(weights), seededRandom(4));
      for (let n = 0; n < 20; n++) assert.ok(picks.next(0, `key ${n}`), `${weights}`);
    }
  });

  test(`${policy}: when all have weight 0 they count alike`, () => {
    for (const share of shares(policy, candidates([0, 0, 0]), 30_000, seededRandom(2))) {
      assert.ok(Math.abs(share - 1 / 3) < 0.01, `${share}`);
    }
  });

  test(`${policy}: who takes nothing now is passed over, unless nobody does`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ weight: fc.integer({ min: 0, max: 5 }), open: fc.boolean() }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.integer(),
        (specs, seed) => {
          const pool = candidates(specs.map(({ weight }) => weight));
          for (const [index, { open }] of specs.entries()) (pool[index] as Numbered).status = open ? 'open' : 'busy';
          const anyWeight = specs.some(({ weight }) => weight > 0);
          const usable = pool.filter(({ weight, status }) => status === 'open' && (!anyWeight || weight > 0));
          const pick = createPicker(policy, pool, seededRandom(seed));
          for (let n = 0; n < 20; n++) {
            const picked = pick.next(0);
            assert.ok(picked);
            if (usable.length > 0) assert.equal(picked.status, 'open');
          }
        },
      ),
    );
  });
}

test('round robin: equal instances take exact turns', () => {
  const pool = candidates([1, 1, 1]);
  const pick = createPicker('round-robin', pool, seededRandom(5));
  const turns = Array.from({ length: 9 }, () => pick.next(0)?.index);
  assert.deepEqual(turns.slice(0, 3).toSorted(), [0, 1, 2]);
  assert.deepEqual(turns.slice(3), [...turns.slice(0, 3), ...turns.slice(0, 3)]);
});

test('round robin: the heap picks what looking at all of them would', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 40 }),
      fc.integer(),
      (weights, seed) => {
        const pool = candidates(weights);
        const pick = createPicker('round-robin', pool, seededRandom(seed));
        const naive = naiveRoundRobin(weights, seededRandom(seed));
        for (let n = 0; n < 200; n++) assert.ok(naive.takes((pick.next(0) as Numbered).index));
      },
    ),
  );
});

/** Looks at all of them each time. Of several that are due at once any may be taken. */
function naiveRoundRobin(weights: readonly number[], random: Random): { takes(index: number): boolean } {
  const due = Float64Array.from(weights, (weight) => random() / weight);
  return {
    takes(index) {
      const first = due[index] === Math.min(...due);
      due[index] = (due[index] ?? 0) + 1 / (weights[index] ?? 1);
      return first;
    },
  };
}

test('round robin: at any moment nobody is more than two turns away from its share', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 10 }),
      fc.integer(),
      (weights, seed) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const pick = createPicker('round-robin', candidates(weights), seededRandom(seed));
        const counts = weights.map(() => 0);
        for (let n = 1; n <= 300; n++) {
          const { index } = pick.next(0) as Numbered;
          counts[index] = (counts[index] ?? 0) + 1;
          for (const [i, weight] of weights.entries()) {
            assert.ok(
              Math.abs((counts[i] ?? 0) - (n * weight) / total) < 2,
              `after ${n} picks of ${weights}: ${counts}`,
            );
          }
        }
      },
    ),
  );
});

test('least loaded: of two, the one with fewer calls per weight', () => {
  const [light, heavy] = candidates([1, 4]) as [Numbered, Numbered];
  const pick = createPicker('least-loaded', [light, heavy], seededRandom(1));
  light.load = 1;
  heavy.load = 3;
  for (let n = 0; n < 50; n++) assert.equal(pick.next(0), heavy);
  heavy.load = 5;
  for (let n = 0; n < 50; n++) assert.equal(pick.next(0), light);
});

/**
 * A bounded simulation: one request a millisecond to ten instances, nine that answer in 5 ms and one in 100 ms.
 * @returns the share of requests that went to the slow one.
 */
function shareOfSlow(policy: PickPolicy, seed: number): number {
  const pool = candidates(Array.from({ length: 10 }, () => 1));
  const pick = createPicker(policy, pool, seededRandom(seed));
  const ends: { at: number; candidate: Numbered }[] = [];
  let slow = 0;
  for (let now = 0; now < 10_000; now++) {
    for (let i = ends.length - 1; i >= 0; i--) {
      const end = ends[i];
      if (!end || end.at > now) continue;
      end.candidate.load -= 1;
      ends.splice(i, 1);
    }
    const picked = pick.next(0) as Numbered;
    picked.load += 1;
    if (picked.index === 0) slow += 1;
    ends.push({ at: now + (picked.index === 0 ? 100 : 5), candidate: picked });
  }
  return slow / 10_000;
}

test('least loaded: an instance twenty times as slow gets less than a third of its turn', () => {
  for (const seed of [1, 2, 3]) {
    assert.ok(Math.abs(shareOfSlow('round-robin', seed) - 0.1) < 0.001, 'turns do not look at load');
    const share = shareOfSlow('least-loaded', seed);
    assert.ok(share < 0.033, `share ${share} with seed ${seed}`);
  }
});
