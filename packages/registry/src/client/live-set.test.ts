import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '@flotilla/core';
import { anInstance } from '../testing/instances.ts';
import { applyChange, applySnapshot, differs, instanceSet, type LiveSet } from './live-set.ts';

const a = anInstance({ id: 'a', revision: 1 });
const b = anInstance({ id: 'b', revision: 2 });
const snapshot = (known: LiveSet | undefined, instances: readonly Instance[], warming = false) =>
  applySnapshot(known, { warming, instances });
const ids = (set: LiveSet) => [...set.instances.values()].map(({ id }) => id);

test('the first answer is believed, also an empty one', () => {
  assert.deepEqual(ids(snapshot(undefined, [a, b])), ['a', 'b']);
  assert.deepEqual(instanceSet(snapshot(undefined, [])), { instances: [], warming: false });
});

test('a snapshot replaces what was known', () => {
  assert.deepEqual(ids(snapshot(snapshot(undefined, [a]), [b])), ['b']);
});

test('a snapshot of a registry that warms up only adds, and says so', () => {
  const warming = snapshot(snapshot(undefined, [a]), [b], true);
  assert.deepEqual(ids(warming), ['a', 'b']);
  assert.equal(instanceSet(warming).warming, true);
  assert.deepEqual(ids(snapshot(warming, [], true)), ['a', 'b']);
  assert.deepEqual(ids(snapshot(warming, [b])), ['b'], 'the first complete list replaces again');
});

test('an empty answer is believed when it comes twice in a row', () => {
  const once = snapshot(snapshot(undefined, [a]), []);
  assert.deepEqual(ids(once), ['a']);
  assert.equal(differs(snapshot(undefined, [a]), once), false, 'callers see nothing of the doubt');
  assert.deepEqual(ids(snapshot(once, [])), []);
  const restored = snapshot(once, [a]);
  assert.deepEqual(ids(snapshot(restored, [])), ['a'], 'not in a row');
});

test('a change that removes the last instance is believed at once', () => {
  const gone = applyChange(snapshot(undefined, [a]), { kind: 'gone', service: 'orders', id: 'a', reason: 'evicted' });
  assert.deepEqual(ids(gone), []);
});

test('a change puts, replaces, or does nothing about somebody unknown', () => {
  const known = snapshot(undefined, [a]);
  assert.deepEqual(ids(applyChange(known, { kind: 'put', instance: b })), ['a', 'b']);
  const draining = anInstance({ id: 'a', status: 'draining', revision: 3 });
  assert.deepEqual([...applyChange(known, { kind: 'put', instance: draining }).instances.values()], [draining]);
  const same = applyChange(known, { kind: 'gone', service: 'orders', id: 'x', reason: 'evicted' });
  assert.equal(differs(known, same), false);
});

test('callers see a difference when an instance, or the warming, changed', () => {
  const known = snapshot(undefined, [a]);
  assert.equal(differs(undefined, known), true);
  assert.equal(differs(known, snapshot(known, [anInstance({ id: 'a', revision: 1 })])), false);
  assert.equal(differs(known, snapshot(known, [anInstance({ id: 'a', revision: 9 })])), true);
  assert.equal(differs(known, { ...known, warming: true }), true);
});
