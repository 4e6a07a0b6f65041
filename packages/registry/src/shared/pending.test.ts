import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalChange } from './local-changes.ts';
import { Pending } from './pending.ts';

const farewell: LocalChange = { kind: 'deregistered', incarnation: 1 };
const override: LocalChange = { kind: 'overrideSet', override: 'down' };

test('who waits is told by the write that holds what was said before, not by an earlier one', () => {
  const pending = new Pending({ service: 'orders', id: 'a' });
  const told: string[] = [];
  const settle = (waiters: readonly (() => void)[]): void => {
    for (const tell of waiters) tell();
  };
  pending.add(override);
  pending.wait(() => told.push('first'));
  pending.begin();
  pending.wait(() => told.push('also first'));
  pending.add(farewell);
  pending.wait(() => told.push('second'));
  settle(pending.written());
  assert.deepEqual(told, ['first', 'also first']);
  assert.deepEqual(pending.changes, [farewell]);
  pending.begin();
  settle(pending.written());
  assert.deepEqual(told, ['first', 'also first', 'second']);
});

test('after a write that failed everything waits again, in its order', () => {
  const pending = new Pending({ service: 'orders', id: 'a' });
  let told = 0;
  pending.add(override);
  pending.wait(() => told++);
  pending.begin();
  pending.add(farewell);
  pending.failed();
  assert.equal(pending.isWriting, false);
  assert.deepEqual(pending.changes, [override, farewell]);
  pending.begin();
  for (const tell of pending.written()) tell();
  assert.equal(told, 1);
  assert.deepEqual(pending.changes, []);
});

test('nobody waits twice', () => {
  const pending = new Pending({ service: 'orders', id: 'a' });
  pending.add(override);
  pending.wait(() => {});
  pending.begin();
  pending.add(farewell);
  pending.wait(() => {});
  assert.equal(pending.giveUp().length, 2);
  assert.equal(pending.giveUp().length, 0);
  assert.equal(pending.written().length, 0);
});
