import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig, settings } from '@flotilla/config';
import { gatewaySettings } from './gateway-settings.ts';

const clientsOf = (text: string) =>
  loadConfig(settings(gatewaySettings), { files: [{ name: 'flotilla.yaml', text: `clients: { orders: ${text} }` }] })
    .values.clients['orders'];

test('of a service the gateway takes how it balances, a breaker and a bulkhead', () => {
  const orders = clientsOf(
    '{ balance: { pick: hash }, breaker: { failureFraction: 0.3 }, bulkhead: { maxConcurrent: 9 } }',
  );
  assert.deepEqual(
    [orders?.balance?.pick, orders?.breaker?.failureFraction, orders?.bulkhead?.maxConcurrent],
    ['hash', 0.3, 9],
  );
});

test('what belongs to routes, or to calls of operations, is refused by name', () => {
  for (const [text, key] of [
    ['{ timeoutMs: 300 }', 'timeoutMs'],
    ['{ retries: 1 }', 'retries'],
    ['{ hedge: { enabled: true } }', 'hedge'],
    ['{ cache: { enabled: true } }', 'cache'],
    ['{ rateLimit: { ratePerSecond: 1 } }', 'rateLimit'],
    ['{ operations: {} }', 'operations'],
    ['{ breaker: { per: operation } }', 'breaker\\.per'],
    ['{ breaker: { slowCallMs: 1 } }', 'breaker\\.slowCallMs'],
  ] as const) {
    assert.throws(() => clientsOf(text), {
      code: 'CONFIG_INVALID',
      message: new RegExp(`clients\\.orders\\.${key}: no such key`),
    });
  }
});
