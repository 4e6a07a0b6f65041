import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, identity, type Target } from '@flotilla/core';
import { anInstance } from '../testing/instances.ts';
import { type Change, matches, type SeenChange, seenBy } from './change.ts';

const plain = anInstance();
const serving = anInstance({ contracts: [{ name: 'catalog', version: 1, hash: '' }] });
const change = (reason: Change['reason'], before?: Instance, after?: Instance): Change => ({
  revision: 1,
  service: 'orders',
  id: 'a',
  reason,
  changedAt: 0,
  at: 0,
  ...(before ? { before } : undefined),
  ...(after ? { after } : undefined),
});
const put = (instance: Instance): SeenChange => ({ kind: 'put', instance });
const gone = (reason: 'deregistered' | 'evicted' | 'changed'): SeenChange => ({
  kind: 'gone',
  service: 'orders',
  id: 'a',
  reason,
});
const orders: Target = { service: 'orders' };
const users: Target = { service: 'users' };
const catalog: Target = { contract: 'catalog' };

const rows: readonly [claim: string, target: Target | undefined, change: Change, seen: SeenChange | undefined][] = [
  ['who watches everybody sees a newcomer', undefined, change('registered', undefined, plain), put(plain)],
  ['who watches the service sees it too', orders, change('registered', undefined, plain), put(plain)],
  ['who watches another service sees nothing of a newcomer', users, change('registered', undefined, plain), undefined],
  ['nor of its end', users, change('evicted', plain), undefined],
  ['an eviction says so', orders, change('evicted', plain), gone('evicted')],
  ['a farewell says so', undefined, change('deregistered', plain), gone('deregistered')],
  [
    'who begins to serve a contract is a newcomer to its watchers',
    catalog,
    change('updated', plain, serving),
    put(serving),
  ],
  ['who no longer serves it is gone for them', catalog, change('updated', serving, plain), gone('changed')],
  ['who never served it is nothing to them when it changes', catalog, change('updated', plain, plain), undefined],
  ['nor when it goes', catalog, change('deregistered', plain), undefined],
];
for (const [claim, target, made, seen] of rows) {
  test(claim, () => assert.deepEqual(seenBy(target, made), seen));
}

test('a service is found by the whole of its identity', () => {
  const instance = anInstance({ identity: identity('orders', { group: 'eu', version: '2' }) });
  const found = ['orders', 'eu/orders', 'eu/orders@2', 'ORDERS'].filter((service) => matches({ service }, instance));
  assert.deepEqual(found, ['eu/orders@2']);
});
