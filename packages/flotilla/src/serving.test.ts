import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, type InstanceSet, identity, type Logger, leaseDefaults, nullLogger } from '@flotilla/core';
import { servingFromCache, servingOnly } from './serving.ts';

const instance = (id: string, ...contracts: readonly (readonly [string, number])[]): Instance => ({
  id,
  identity: identity('shop'),
  incarnation: 1,
  addresses: [],
  contracts: contracts.map(([name, version]) => ({ name, version, hash: '' })),
  status: 'up',
  weight: 1,
  lease: leaseDefaults,
  revision: 0,
  metadata: {},
  bags: {},
});
const needed = { name: 'catalog', version: 2 };
const everybody = [
  instance('right', ['catalog', 2]),
  instance('both', ['catalog', 1], ['catalog', 2]),
  instance('older', ['catalog', 1]),
  instance('other application', ['billing', 2]),
  instance('java'),
];

test('only who serves the contract in its version is named, and who says nothing of contracts', () => {
  let say: (set: InstanceSet) => void = () => assert.fail('nobody watches');
  const warnings: unknown[] = [];
  const logger: Logger = { ...nullLogger, warn: (_, fields) => warnings.push(fields) };
  const resolver = servingOnly(
    needed,
    {
      watch(_, update) {
        say = update;
        return { close() {} };
      },
    },
    logger,
  );
  const seen: string[][] = [];
  resolver.watch({ service: 'shop' }, ({ instances }) => seen.push(instances.map(({ id }) => id)));
  say({ instances: everybody, warming: false });
  say({ instances: everybody, warming: false });
  assert.deepEqual(seen[0], ['right', 'both', 'java']);
  assert.deepEqual(warnings, [
    {
      contract: 'catalog v2',
      instances: ['older of shop serves catalog v1', 'other application of shop serves billing v2'],
      count: 2,
    },
  ]);
  say({ instances: [instance('older', ['catalog', 1])], warming: false });
  assert.deepEqual(seen[2], []);
  assert.equal(warnings.length, 2, 'said again when somebody else is passed over');
});

test('what was cached for another version is left out', async () => {
  const cache = servingFromCache(needed, {
    load: async () => ({ instances: everybody, savedAt: 1 }),
    save: async () => {},
  });
  const kept = await cache.load({ contract: 'catalog' });
  assert.deepEqual(
    kept?.instances.map(({ id }) => id),
    ['right', 'both', 'java'],
  );
});
