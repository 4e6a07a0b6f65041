import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { alike, candidates, type Numbered } from '../../test/candidates.ts';
import { createPicker, type PickPolicy } from './pick.ts';

const measured: readonly [PickPolicy, (candidate: Numbered, value: number) => void, (candidate: Numbered) => number][] =
  [
    [
      'peak-ewma',
      (candidate, value) => {
        candidate.latencyMs = value;
      },
      ({ latencyMs }) => latencyMs,
    ],
    [
      'least-utilised',
      (candidate, value) => {
        candidate.utilisation = value / 1_000;
      },
      ({ utilisation }) => utilisation + 0.05,
    ],
  ];

for (const [policy, set, cost] of measured) {
  test(`${policy}: of two, the one that costs less is picked`, () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 999 })),
        fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 })),
        fc.integer(),
        ([first, second], loads, seed) => {
          const pool = alike(2) as [Numbered, Numbered];
          for (const [index, value] of [first, second].entries()) {
            set(pool[index] as Numbered, value);
            (pool[index] as Numbered).load = loads[index] as number;
          }
          const costs = pool.map((candidate) => cost(candidate) * (1 + candidate.load));
          const picker = createPicker(policy, pool, seededRandom(seed));
          for (let n = 0; n < 10; n++) {
            const picked = picker.next(0) as Numbered;
            assert.equal(costs[picked.index], Math.min(...costs));
          }
        },
      ),
    );
  });

  test(`${policy}: of whom nothing is known, calls in flight decide`, () => {
    const [known, unknown] = alike(2) as [Numbered, Numbered];
    set(known, 500);
    const picker = createPicker(policy, [known, unknown], seededRandom(1));
    known.load = 2;
    unknown.load = 1;
    for (let n = 0; n < 20; n++) assert.equal(picker.next(0), unknown);
    unknown.load = 3;
    for (let n = 0; n < 20; n++) assert.equal(picker.next(0), known);
  });

  test(`${policy}: a hundredth of the weight is no more than a few hundredths of the calls`, () => {
    const pool = candidates([100, 1]) as [Numbered, Numbered];
    set(pool[0], 10);
    set(pool[1], 5); // quicker, and yet
    const picker = createPicker(policy, pool, seededRandom(7));
    let light = 0;
    for (let n = 0; n < 20_000; n++) if (picker.next(0) === pool[1]) light += 1;
    assert.ok(light > 100 && light < 1_000, `${light} of 20,000`);
  });
}

test('peak-ewma: one that is a hundred times as slow gets next to nothing', () => {
  const pool = alike(10);
  for (const candidate of pool) candidate.latencyMs = candidate.index === 0 ? 500 : 5;
  const picker = createPicker('peak-ewma', pool, seededRandom(1));
  for (let n = 0; n < 10_000; n++) assert.notEqual((picker.next(0) as Numbered).index, 0);
});
