import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anInstance } from '@flotilla/core/testing';
import { type EurekaAction, type EurekaStatus, eurekaStatuses } from '../document.ts';
import { applyAll, applyDelta, forgetKept, hashOf, keptForMs, type Listing, setFor } from './listing.ts';
import type { ListedInstance, ReadApplications } from './read-applications.ts';

/** `a`, `a DOWN`, `a DELETED`. */
function item(text: string): ListedInstance {
  const [id = '', ...words] = text.split(' ');
  const status = words.find((word) => eurekaStatuses.some((known) => known === word)) ?? 'UP';
  return {
    key: `ORDERS\n${id}`,
    status: status as EurekaStatus,
    action: words.includes('DELETED') ? ('DELETED' as EurekaAction) : undefined,
    names: new Set(['orders', 'shop-vip']),
    instance: anInstance({ id, contracts: [{ name: 'catalog', version: 1, hash: '' }] }),
  };
}

const list = (...texts: string[]): ReadApplications => ({ hashCode: '', version: 1, instances: texts.map(item) });

type Step = readonly ['all' | 'delta', ...string[]] | number;

function after(...steps: Step[]): Listing | undefined {
  let now = 0;
  let known: Listing | undefined;
  for (const step of steps) {
    if (typeof step === 'number') {
      now += step;
      known = known && forgetKept(known, now);
      continue;
    }
    const [kind, ...texts] = step;
    if (kind === 'all') known = applyAll(known, list(...texts), now);
    else if (known) known = applyDelta(known, list(...texts));
  }
  return known;
}

/** Ids, behind `~` while some are kept. */
function shown(known: Listing | undefined): string {
  if (!known) return 'nothing';
  const { instances, warming } = setFor(known, { service: 'orders' });
  const ids = instances.map(({ id }) => id).sort();
  return `${warming ? '~ ' : ''}${ids.join(' ')}`;
}

const many = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const rows: readonly [claim: string, steps: readonly Step[], shown: string][] = [
  ['the first list counts, also an empty one', [['all']], ''],
  [
    'a whole list replaces what was known',
    [
      ['all', 'a', 'b'],
      ['all', 'b', 'c'],
    ],
    'b c',
  ],
  [
    'a delta puts who is new and who changed, and takes out who is DELETED',
    [
      ['all', 'a', 'b'],
      ['delta', 'b DOWN', 'c', 'a DELETED'],
    ],
    'b c',
  ],
  ['who is known stays when a list is empty', [['all', 'a'], ['all'], ['all']], '~ a'],
  ['for a lease, and then an empty list is believed', [['all', 'a'], ['all'], keptForMs], ''],
  ['also beside those who are named first', [['all', 'a', 'b'], ['all'], ['all', 'b', 'c']], '~ a b c'],
  [
    'a second empty list has a lease of its own',
    [['all', 'a'], ['all'], 1, ['all', 'b'], ['all'], keptForMs - 1],
    '~ a b',
  ],
  [
    'a delta that takes out the last one is believed',
    [
      ['all', 'a'],
      ['delta', 'a DELETED'],
    ],
    '',
  ],
  [
    'of few, any number may go at once',
    [
      ['all', 'a', 'b', 'c', 'd'],
      ['all', 'a'],
    ],
    'a',
  ],
  [
    'half of many may go',
    [
      ['all', ...many],
      ['all', 'a', 'b', 'c'],
    ],
    'a b c',
  ],
  [
    'when more than half of many are not named, they are kept',
    [
      ['all', ...many],
      ['all', 'a', 'b'],
    ],
    '~ a b c d e f',
  ],
  [
    'for a lease, and no longer',
    [['all', ...many], ['all', 'a', 'b'], keptForMs - 1, ['all', 'a', 'b', 'c'], 1],
    'a b c',
  ],
  [
    'until the last millisecond',
    [['all', ...many], ['all', 'a', 'b'], keptForMs - 1, ['all', 'a', 'b', 'c']],
    '~ a b c d e f',
  ],
  [
    'who is kept goes when a delta says so',
    [
      ['all', ...many],
      ['all', 'a', 'b'],
      ['delta', 'c DELETED'],
    ],
    '~ a b d e f',
  ],
];
for (const [claim, steps, expected] of rows) {
  test(claim, () => assert.equal(shown(after(...steps)), expected));
}

test('the hash code is over who is listed, in every status, not over who is kept', () => {
  const known = after(['all', ...many], ['all', 'a', 'b DOWN']);
  assert.equal(known && hashOf(known), 'DOWN_1_UP_1_');
});

test('a service is found by its application or VIP address in any case, a contract by its name', () => {
  const known = after(['all', 'a']) as Listing;
  const found = (target: Parameters<typeof setFor>[1]): number => setFor(known, target).instances.length;
  const targets = ['orders', 'ORDERS', 'Shop-Vip', 'order', 'catalog'].map((service) => found({ service }));
  assert.deepEqual(targets, [1, 1, 1, 0, 0]);
  assert.deepEqual([found({ contract: 'catalog' }), found({ contract: 'Catalog' })], [1, 0]);
});
