import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertOneWay } from './registry-engine.ts';

test('an engine and peers at once are refused, and both keys named', () => {
  const peers = ['http://registry-2:8761/eureka/'];
  assertOneWay({ engine: '', peers });
  assertOneWay({ engine: 'etcd://etcd-1', peers: [] });
  assert.throws(() => assertOneWay({ engine: 'etcd://etcd-1', peers }), {
    code: 'CONFIG_INVALID',
    message: /registry\.engine is set, and registry\.peers names 1/,
  });
});
