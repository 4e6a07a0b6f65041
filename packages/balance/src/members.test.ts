import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '@flotilla/core';
import { instance, MemoryEndpoint } from '../test/fleet.ts';
import { Members } from './members.ts';

const address = { addresses: [{ protocol: 'http', host: '10.0.0.7', port: 8080 }] };
const dead = instance('dead', { ...address, incarnation: 1 });
const successor = instance('successor', { ...address, incarnation: 2 });
const other = instance('other');

/** Who may be picked after each of these sets. */
function picked(...sets: (readonly Instance[])[]): string[] {
  const members = new Members<string, string>({
    protocols: ['http'],
    decayMs: () => 5_000,
    connect: ({ host }) => new MemoryEndpoint(host, async (request: string) => request),
    onCloseFailed: () => {},
  });
  for (const set of sets) members.update(set, 0);
  return members.up().map(({ instance: { id } }) => id);
}

test('who comes to an address takes the place of one that died there and is listed still', () => {
  assert.deepEqual(picked([dead, other], [dead, successor, other]), ['other', 'successor']);
});

test('when it drains and leaves, calls do not go back to the dead one', () => {
  const draining = instance('successor', { ...address, incarnation: 3, status: 'draining' });
  assert.deepEqual(picked([dead, other], [dead, successor, other], [dead, draining, other]), ['other']);
  assert.deepEqual(picked([dead, other], [dead, successor, other], [dead, other]), ['other']);
});

test('unless nobody else is left: then it is worth a try', () => {
  assert.deepEqual(picked([dead, other], [dead, successor, other], [dead]), ['dead']);
});

test('the one that came later counts, whatever their clocks said; of two that come at once, the higher incarnation', () => {
  const behind = instance('behind', { ...address, incarnation: 0 });
  assert.deepEqual(picked([dead, other], [dead, behind, other]), ['other', 'behind']);
  assert.deepEqual(picked([successor, dead, other]), ['successor', 'other']);
  assert.deepEqual(picked([dead, successor, other]), ['successor', 'other']);
});

test('an address that nobody has is forgotten', () => {
  assert.deepEqual(picked([dead, other], [dead, successor, other], [other], [dead, other]), ['other', 'dead']);
});
