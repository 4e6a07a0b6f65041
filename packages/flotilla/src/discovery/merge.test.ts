import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, type InstanceSet, identity } from '@flotilla/core';
import { type MergedSet, mergedSet, nothingSaid, said } from './merge.ts';

const instance = (id: string, incarnation = 1, status: Instance['status'] = 'up', service = 'orders'): Instance => ({
  id,
  identity: identity(service),
  incarnation,
  addresses: [{ protocol: 'http', host: '10.0.0.1', port: 8080 }],
  contracts: [],
  status,
  weight: 1,
  revision: 0,
  metadata: {},
  bags: {},
});
const word = (...instances: Instance[]): InstanceSet => ({ instances, warming: false });
const warming = (...instances: Instance[]): InstanceSet => ({ instances, warming: true });

/** `id@incarnation status`, in order, behind `~` while the set is warming. */
function shown(merged: MergedSet): string {
  const { instances, warming } = mergedSet(merged);
  const listed = instances.map(({ id, incarnation, status }) => `${id}@${incarnation} ${status}`).sort();
  return `${warming ? '~ ' : ''}${listed.join(', ')}`;
}

type Word = readonly [registry: number, word: InstanceSet];
const rows: readonly [claim: string, words: readonly Word[], shown: string][] = [
  ['before anybody said anything nothing is known for sure', [], '~ '],
  ['one that has not spoken keeps the set warming', [[0, word(instance('a'))]], '~ a@1 up'],
  [
    'what both know is one set',
    [
      [0, word(instance('a'))],
      [1, word(instance('b'))],
    ],
    'a@1 up, b@1 up',
  ],
  [
    'the same instance in both is one, and the fresher incarnation counts',
    [
      [0, word(instance('a', 3, 'draining'))],
      [1, word(instance('a', 2))],
    ],
    'a@3 draining',
  ],
  [
    'whichever registry names it',
    [
      [0, word(instance('a', 2))],
      [1, word(instance('a', 3, 'down'))],
    ],
    'a@3 down',
  ],
  [
    'equal incarnations: the registry that is named first counts',
    [
      [0, word(instance('a', 2, 'down'))],
      [1, word(instance('a', 2))],
    ],
    'a@2 down',
  ],
  [
    'the same id of another service is another instance',
    [
      [0, word(instance('a'))],
      [1, word(instance('a', 2, 'up', 'users'))],
    ],
    'a@1 up, a@2 up',
  ],
  [
    'who is gone from one and named by the other is there',
    [
      [0, word(instance('a'))],
      [1, word(instance('a'))],
      [0, word()],
    ],
    'a@1 up',
  ],
  [
    'who is gone from both is gone',
    [
      [0, word(instance('a'))],
      [1, word(instance('a'))],
      [0, word()],
      [1, word()],
    ],
    '',
  ],
  [
    'who was seen draining does not come back by an older word of a registry that is down',
    [
      [0, word(instance('a', 1), instance('b'))],
      [1, word(instance('a', 1))],
      [0, word(instance('a', 2, 'draining'), instance('b'))],
      [0, word(instance('b'))],
    ],
    'b@1 up',
  ],
  [
    'but comes back by a newer one',
    [
      [0, word(instance('a', 2, 'draining'))],
      [1, word(instance('a', 1))],
      [0, word()],
      [1, word(instance('a', 3))],
    ],
    'a@3 up',
  ],
  [
    'one that is warming up makes the set warming',
    [
      [0, word(instance('a'))],
      [1, warming(instance('b'))],
    ],
    '~ a@1 up, b@1 up',
  ],
];
for (const [claim, words, expected] of rows) {
  test(claim, () => {
    const merged = words.reduce((before, [registry, set]) => said(before, registry, set), nothingSaid(2));
    assert.equal(shown(merged), expected);
  });
}

test('who left is forgotten with its last trace', () => {
  const steps: Word[] = [
    [0, word(instance('a', 2, 'draining'))],
    [1, word(instance('a', 1))],
    [0, word()],
    [1, word()],
  ];
  const sizes: number[] = [];
  steps.reduce((before, [registry, set]) => {
    const after = said(before, registry, set);
    sizes.push(after.leaving.size);
    return after;
  }, nothingSaid(2));
  assert.deepEqual(sizes, [1, 1, 1, 0]);
});
