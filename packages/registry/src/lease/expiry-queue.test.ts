import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExpiryQueue } from './expiry-queue.ts';

test('what is taken out is what sorting would give', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: 0, max: 50 }), (instants, now) => {
      const queue = new ExpiryQueue<number>();
      for (const [index, at] of instants.entries()) queue.push(at, index);
      const taken: number[] = [];
      for (let due = queue.takeDue(now); due; due = queue.takeDue(now)) {
        assert.equal(instants[due.item], due.at);
        taken.push(due.at);
      }
      const sorted = instants.toSorted((a, b) => a - b);
      assert.deepEqual(
        taken,
        sorted.filter((at) => at <= now),
      );
      assert.equal(queue.nextAt, sorted.find((at) => at > now) ?? Infinity);
      assert.equal(queue.size, instants.length - taken.length);
    }),
  );
});

test('a queue that was cleared is empty', () => {
  const queue = new ExpiryQueue<string>();
  queue.push(1, 'a');
  queue.clear();
  assert.equal(queue.takeDue(10), undefined);
});
