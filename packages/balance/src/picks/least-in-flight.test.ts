import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { candidates, type Numbered } from '../../test/candidates.ts';
import { createPicker } from './pick.ts';

test('least in flight: the heap picks what looking at all of them would, as calls begin and end', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 30 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 200 }),
      fc.integer(),
      (weights, steps, seed) => {
        const pool = candidates(weights);
        const random = seededRandom(seed);
        const picker = createPicker('least-in-flight', pool, random);
        const inFlight: Numbered[] = [];
        for (const step of steps) {
          if (step === 0 && inFlight.length > 0) {
            const [ended] = inFlight.splice(Math.floor(random() * inFlight.length), 1) as [Numbered];
            ended.load -= 1;
            picker.changed?.(ended);
            continue;
          }
          const picked = picker.next(0) as Numbered;
          const least = Math.min(...pool.map(({ load, weight }) => load / weight));
          assert.equal(picked.load / picked.weight, least, 'nobody has less per weight');
          picked.load += 1;
          picker.changed?.(picked);
          inFlight.push(picked);
        }
      },
    ),
  );
});

test('least in flight: who has equally little takes smooth turns', () => {
  const pool = candidates([2, 1]);
  const picker = createPicker('least-in-flight', pool, seededRandom(3));
  const turns = Array.from({ length: 30 }, () => (picker.next(0) as Numbered).index);
  assert.equal(turns.filter((index) => index === 0).length, 20);
});

test('least in flight: the load of somebody else is no news', () => {
  const pool = candidates([1, 1]);
  const picker = createPicker('least-in-flight', pool, seededRandom(3));
  const [stranger] = candidates([1]) as [Numbered];
  stranger.load = 9;
  picker.changed?.(stranger);
  assert.notEqual(picker.next(0), stranger);
});
