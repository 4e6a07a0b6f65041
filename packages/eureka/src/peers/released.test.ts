import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { identity, leaseDefaults } from '@flotilla/core';
import { served } from '../testing/served.ts';
import { TaskWriter } from './task-writer.ts';
import { Stamps } from './versions.ts';

/** What version 0.1 sends to a peer of ours: the next version understands it, and sends what 0.1 understands. */
const released: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, '../testing/released/peer-batch-0.1.json'), 'utf8'),
);
const key = { service: 'eu/orders@2', id: 'a' };

test('a peer of the released version is understood', async () => {
  const { registry, send, stop } = await served();
  const answer = await send('POST /eureka/peerreplication/batch/', { json: released });
  assert.equal(answer.status, 200);
  const { responseList } = JSON.parse(answer.text) as { responseList: { statusCode: number }[] };
  assert.deepEqual(
    responseList.map(({ statusCode }) => statusCode),
    [200, 200, 200, 404],
  );
  const instance = registry.get(key)?.instance;
  assert.equal(instance?.override, 'out-of-service');
  assert.equal(instance?.zone, 'b');
  assert.deepEqual(instance?.contracts, [{ name: 'order', version: 1, hash: '0123456789abcdef' }]);
  await stop();
});

test('what is sent today is what the released version sends', async () => {
  const { clock, registry, stop } = await served();
  const stamps = new Stamps();
  registry.register({
    id: key.id,
    identity: identity('orders', { group: 'eu', version: '2' }),
    incarnation: 1_767_225_600_000,
    addresses: [{ protocol: 'http', host: '10.0.0.1', port: 8080 }],
    contracts: [{ name: 'order', version: 1, hash: '0123456789abcdef' }],
    status: 'up',
    zone: 'b',
    weight: 0.5,
    lease: leaseDefaults,
    revision: 0,
    metadata: { color: 'blue' },
    bags: {},
  });
  registry.setOverride(key, 'out-of-service');
  stamps.noteOverridden(key, 1_767_225_600_000);
  const writer = new TaskWriter(registry, stamps, clock);
  const write = (kind: 'register' | 'heartbeat' | 'override'): unknown =>
    writer.write({ kind, key, expiresAt: Infinity }, true);
  const gone = { service: key.service, id: 'gone' };
  const batch = {
    replicationList: [
      write('register'),
      write('heartbeat'),
      write('override'),
      writer.write({ kind: 'cancel', key: gone, incarnation: 4, expiresAt: Infinity }, true),
    ],
  };
  assert.deepEqual(JSON.parse(JSON.stringify(batch)), released);
  await stop();
});
