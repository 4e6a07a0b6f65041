import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instance } from '../test/fleet.ts';
import { mergeSet, saysSomething } from './live-set.ts';

const [a, b] = [instance('a'), instance('b')];
const ids = (members: readonly { id: string }[]): string[] => members.map(({ id }) => id);

test('a set replaces what was known', () => {
  assert.deepEqual(ids(mergeSet([a], { instances: [b], warming: false })), ['b']);
  assert.deepEqual(ids(mergeSet([a], { instances: [], warming: false })), []);
});

test('a source that is warming up only adds', () => {
  assert.deepEqual(ids(mergeSet([a], { instances: [b], warming: true })), ['a', 'b']);
  assert.deepEqual(ids(mergeSet([a], { instances: [], warming: true })), ['a']);
});

test('whom a source that is warming up has named and names no longer is gone', () => {
  const before = { instances: [a], warming: true };
  assert.deepEqual(ids(mergeSet([a, b], { instances: [], warming: true }, before)), ['b']);
  assert.deepEqual(ids(mergeSet([a, b], { instances: [a], warming: true }, before)), ['b', 'a']);
});

test('a source that is warming up changes whom it names, but not back to an older incarnation', () => {
  const older = instance('a', { incarnation: 1, status: 'up' });
  const newer = instance('a', { incarnation: 2, status: 'draining' });
  assert.deepEqual(mergeSet([older], { instances: [newer], warming: true }), [newer]);
  assert.deepEqual(mergeSet([newer], { instances: [older], warming: true }), [newer]);
  assert.deepEqual(mergeSet([newer], { instances: [older], warming: false }), [older], 'later its word counts');
});

test('an id that is named twice counts once, with its higher incarnation', () => {
  const [one, two] = [instance('a', { incarnation: 1 }), instance('a', { incarnation: 2 })];
  assert.deepEqual(mergeSet([], { instances: [two, one], warming: false }), [two]);
});

test('nobody named by a source that is warming up says nothing', () => {
  assert.equal(saysSomething({ instances: [], warming: true }), false);
  assert.equal(saysSomething({ instances: [], warming: false }), true);
  assert.equal(saysSomething({ instances: [a], warming: true }), true);
});
