import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { LatestMap } from './latest-map.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

test('holds what was set last, as a list that is kept in order does', () => {
  const step = fc.record({ key: fc.nat(12), drop: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
      const map = new LatestMap<number, number>(capacity);
      let model: [number, number][] = [];
      for (const [index, { key, drop }] of steps.entries()) {
        model = model.filter(([known]) => known !== key);
        if (drop) map.delete(key);
        else {
          map.set(key, index);
          model.push([key, index]);
          if (model.length > capacity) model.shift();
        }
        const held = new Map(model);
        assert.equal(map.size, held.size);
        for (let other = 0; other <= 12; other++) assert.equal(map.get(other), held.get(other));
      }
    }),
  );
});

test('whoever sets the same few entries for long holds no memory but theirs', () => {
  const map = new LatestMap<number, number>(10_000);
  const setAll = (times: number): void => {
    for (let index = 0; index < times; index++) map.set(index % 1_000, index);
  };
  setAll(10_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  setAll(500_000);
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert(grown < 10_000_000, `${grown} bytes more; an iterator that stands still would hold 40 MB of tables`);
});
