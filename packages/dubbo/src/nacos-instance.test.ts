import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Instance, type InstanceStatus, identity, instanceStatuses } from '@flotilla/core';
import { decodeNacosInstance, encodeNacosInstance } from './nacos-instance.ts';

const orders: Instance = {
  id: '10.0.0.7#8080#DEFAULT#DEFAULT_GROUP@@orders',
  identity: identity('orders'),
  incarnation: 0,
  addresses: [{ protocol: 'http', host: '10.0.0.7', port: 8080 }],
  contracts: [],
  status: 'up',
  weight: 1,
  lease: { renewEveryMs: 5_000, lastsMs: 15_000 },
  revision: 0,
  metadata: {},
  bags: {},
};

test('an ordinary service needs neither metadata nor a bag', () => {
  const document = encodeNacosInstance(orders);
  assert.deepEqual(document.metadata, {});
  assert.deepEqual(decodeNacosInstance(document), orders);
});

test('a document that does not name its service takes the name that it was asked for by', () => {
  const { serviceName: _, instanceId: __, ...document } = encodeNacosInstance(orders);
  assert.deepEqual(decodeNacosInstance(document, 'shop@@orders').identity, identity('orders', { group: 'shop' }));
  assert.throws(() => decodeNacosInstance(document), { code: 'MALFORMED_REQUEST', detail: /serviceName/ });
});

suite('nobody is given who may receive no calls', () => {
  const given = (status: InstanceStatus, override?: InstanceStatus): boolean => {
    const { healthy, enabled } = encodeNacosInstance({ ...orders, status, ...(override && { override }) });
    return healthy && enabled;
  };
  for (const status of instanceStatuses) {
    test(`${status}, with every override and none`, () => {
      assert.equal(given(status), status === 'up');
      for (const override of instanceStatuses) assert.equal(given(status, override), override === 'up', override);
    });
  }
});

test('a leaving instance is disabled: protection hands out unhealthy ones, never disabled ones', () => {
  for (const status of ['draining', 'out-of-service'] as const) {
    assert.equal(encodeNacosInstance({ ...orders, status }).enabled, false, status);
  }
});

test('a long lease is not cut short by the time of deletion', () => {
  const { metadata, ipDeleteTimeout } = encodeNacosInstance({
    ...orders,
    lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
  });
  assert.deepEqual(metadata, {
    'preserved.heart.beat.interval': '30000',
    'preserved.heart.beat.timeout': '90000',
    'preserved.ip.delete.timeout': '90000',
  });
  assert.equal(ipDeleteTimeout, 90_000);
});

test('a web service offers its plain port, a Dubbo application all of its endpoints', () => {
  const https = { protocol: 'https', host: '10.0.0.7', port: 8443 };
  assert.equal(encodeNacosInstance({ ...orders, addresses: [https, ...orders.addresses] }).port, 8080);
  assert.equal(encodeNacosInstance({ ...orders, addresses: [https] }).metadata['secure'], 'true');
  const dubbo = { protocol: 'dubbo', host: '10.0.0.7', port: 20_880 };
  const both = encodeNacosInstance({ ...orders, addresses: [dubbo, ...orders.addresses] });
  assert.equal(both.port, 20_880);
  assert.equal(both.metadata['dubbo.endpoints'], '[{"port":20880,"protocol":"dubbo"},{"port":8080,"protocol":"http"}]');
});

test('metadata that would make a service look like a Dubbo provider does not', () => {
  const disguise = { category: 'providers', interface: 'x.Demo', path: 'x.Demo', protocol: 'tri', version: '1' };
  const instance = { ...orders, identity: identity('providers:x.Demo:1:'), metadata: disguise };
  assert.deepEqual(factsOf(decodeNacosInstance(encodeNacosInstance(instance))), factsOf(instance));
});

suite('JSON of another shape is refused by the name of the member', () => {
  const document = encodeNacosInstance(orders);
  const rows: readonly [document: unknown, names: RegExp, code?: string][] = [
    ['x', /"instance"/],
    [{ ...document, ip: 7 }, /instance\.ip/],
    [{ ...document, port: '8080' }, /instance\.port/],
    [{ ...document, healthy: 'true' }, /instance\.healthy/],
    [{ ...document, metadata: [] }, /instance\.metadata/],
    [{ ...document, metadata: { a: 1 } }, /instance\.metadata\.a/],
    [{ ...document, weight: -1 }, /weight/, 'INVALID_INPUT'],
    [{ ...document, port: -1 }, /port/, 'INVALID_INPUT'],
    [{ ...document, ip: '[::1]' }, /host/, 'INVALID_INPUT'],
    [{ ...document, serviceName: 'g@@a b' }, /service/, 'INVALID_INPUT'],
    [{ ...document, instanceId: 'a\n' }, /instance id/, 'INVALID_INPUT'],
    [{ ...document, metadata: { 'flotilla.lease': '{}' } }, /flotilla\.lease/, 'INVALID_INPUT'],
  ];
  for (const [wrong, names, code = 'MALFORMED_REQUEST'] of rows) {
    test(`${names}`, () => {
      assert.throws(() => decodeNacosInstance(wrong), { code, detail: names });
    });
  }
});

function factsOf({ bags: _, ...facts }: Instance): Omit<Instance, 'bags'> {
  return facts;
}
