import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { alike, type Numbered } from '../../test/candidates.ts';
import { createPicker } from './pick.ts';
import { StickyMemory } from './sticky.ts';

test('sticky: a key stays, also when candidates come, until its own one goes', () => {
  const memory = new StickyMemory(100);
  const pool = alike(5);
  const first = createPicker('sticky', pool.slice(0, 4), seededRandom(1), { memory });
  const owner = first.next(0, 'basket 7') as Numbered;
  const more = createPicker('sticky', pool, seededRandom(2), { memory });
  for (let n = 0; n < 20; n++) assert.equal(more.next(0, 'basket 7'), owner);
  const without = createPicker(
    'sticky',
    pool.filter((candidate) => candidate !== owner),
    seededRandom(3),
    { memory },
  );
  const next = without.next(0, 'basket 7') as Numbered;
  assert.notEqual(next, owner);
  const back = createPicker('sticky', pool, seededRandom(4), { memory });
  assert.equal(back.next(0, 'basket 7'), next, 'it does not go back');
});

test('sticky: one that takes nothing is left', () => {
  const pool = alike(3);
  const picker = createPicker('sticky', pool, seededRandom(1));
  const owner = picker.next(0) as Numbered;
  owner.status = 'closed';
  assert.notEqual(picker.next(0), owner);
});

test('sticky: no more keys are kept than allowed, and of those used last at least half', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 300 }),
      (maxKeys, uses) => {
        const memory = new StickyMemory(maxKeys);
        const used: number[] = [];
        for (const key of uses) {
          if (!memory.get(`${key}`)) memory.set(`${key}`, {});
          used.push(key);
          assert.ok(memory.size <= maxKeys, `${memory.size} of ${maxKeys}`);
          const latest = [...new Set(used.toReversed())].slice(0, Math.floor(maxKeys / 2));
          for (const kept of latest) assert.ok(memory.get(`${kept}`), `key ${kept} of ${latest}`);
        }
      },
    ),
  );
});
