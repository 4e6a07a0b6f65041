import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Listeners } from './listeners.ts';

test('those that were not removed are told once, in the order in which they came', () => {
  const step = fc.oneof(fc.constant('add' as const), fc.nat(20));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const listeners = new Listeners<number>();
      const places: ReturnType<typeof listeners.add>[] = [];
      const naive: number[] = [];
      for (const [index, one] of steps.entries()) {
        if (one === 'add') {
          places.push(listeners.add(index));
          naive.push(index);
        } else {
          const place = places[one % Math.max(1, places.length)];
          if (!place) continue;
          listeners.remove(place); // perhaps for the second time
          if (naive.includes(place.listener)) naive.splice(naive.indexOf(place.listener), 1);
        }
      }
      const told: number[] = [];
      const tell = (listener: number, by: string): void => void (by === 'this test' && told.push(listener));
      listeners.drain(tell, 'this test');
      assert.deepEqual(told, naive);
      listeners.drain(tell, 'this test');
      assert.equal(told.length, naive.length, 'nobody is told twice');
    }),
  );
});

test('a place that was given up holds no other', () => {
  const listeners = new Listeners<string>();
  const [first, second, third] = ['first', 'second', 'third'].map((one) => listeners.add(one));
  assert.ok(first && second && third);
  listeners.remove(second);
  assert.deepEqual([second.previous, second.next], [undefined, undefined]);
  listeners.drain(() => {}, undefined);
  assert.deepEqual([first.next, third.previous], [undefined, undefined]);
});
