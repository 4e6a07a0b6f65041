import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import { outOfQuarantine, tryOrder } from './server-choice.ts';

test('servers of the own zone come first, each group in an order of chance', () => {
  const servers = ['a1', 'a2', 'b1', 'b2'].map((name) => ({ name, zone: name[0] ?? '' }));
  const firsts = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const order = tryOrder(servers, 'B', seededRandom(seed)).map(({ name }) => name);
    firsts.add(order[0] ?? '');
    assert.deepEqual(order.slice(0, 2).sort(), ['b1', 'b2']);
    assert.deepEqual(order.slice(2).sort(), ['a1', 'a2']);
  }
  assert.deepEqual([...firsts].sort(), ['b1', 'b2']);
});

test('without a zone all are alike, and every one comes first now and then', () => {
  const firsts = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    firsts.add(tryOrder([{ zone: 'a' }, { zone: 'b' }], undefined, seededRandom(seed))[0]?.zone ?? '');
  }
  assert.deepEqual([...firsts].sort(), ['a', 'b']);
});

const rows: readonly [servers: string, held: string, candidates: string, cleared: boolean][] = [
  ['abc', '', 'abc', false],
  ['abcdef', 'ab', 'cdef', false],
  ['abcdef', 'abc', 'abcdef', true], // floor(6 × 0.66) = 3
  ['abc', 'a', 'abc', true], // floor(3 × 0.66) = 1
  ['abcd', 'a', 'bcd', false],
  ['a', 'a', 'a', true],
];
for (const [servers, held, candidates, cleared] of rows) {
  test(`of ${servers}, with ${held || 'none'} in quarantine, ${candidates} are tried`, () => {
    const found = outOfQuarantine([...servers], new Set(held));
    assert.deepEqual([found.candidates.join(''), found.cleared], [candidates, cleared]);
  });
}
