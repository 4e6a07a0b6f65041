import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Instance, identity } from '@flotilla/core';
import { decodeInstance, encodeInstance } from './instance.ts';

const orders: Instance = {
  id: 'orders-1',
  identity: identity('orders'),
  incarnation: 1_700_000_000_000,
  addresses: [{ protocol: 'http', host: '10.0.0.5', port: 8080 }],
  contracts: [],
  status: 'up',
  weight: 1,
  lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
  revision: 0,
  metadata: {},
  bags: {},
};

test('an ordinary instance of ours needs neither notes nor a bag', () => {
  const document = encodeInstance(orders);
  assert.deepEqual(document.metadata, { '@class': 'java.util.Collections$EmptyMap' });
  assert.deepEqual(decodeInstance(document, 1), orders);
});

test('draining is out of service to a Java reader, and is never an override', () => {
  const { status, overriddenStatus, metadata } = encodeInstance({ ...orders, status: 'draining' });
  assert.deepEqual(
    { status, overriddenStatus, metadata },
    {
      status: 'OUT_OF_SERVICE',
      overriddenStatus: 'UNKNOWN',
      metadata: { 'flotilla.status': 'draining' },
    },
  );
});

test('an address that Eureka has no field for leaves both ports closed and travels as a note', () => {
  const document = encodeInstance({ ...orders, addresses: [{ protocol: 'rsocket', host: 'h9', port: 7000 }] });
  assert.equal(document.hostName, 'h9');
  assert.deepEqual([document.port['@enabled'], document.securePort['@enabled']], ['false', 'false']);
  assert.deepEqual(Object.keys(document.metadata), ['flotilla.addresses']);
});

test('lease terms are rounded up, so that nobody takes the instance for gone too early', () => {
  const { leaseInfo } = encodeInstance({ ...orders, lease: { renewEveryMs: 2_500, lastsMs: 7_001 } });
  assert.deepEqual([leaseInfo.renewalIntervalInSecs, leaseInfo.durationInSecs], [3, 8]);
});

test('the listing of the registry that answers goes before the bag', () => {
  const told: Instance = { ...orders, bags: { eureka: { actionType: 'ADDED', lastUpdatedTimestamp: 5 } } };
  const document = encodeInstance(told, { actionType: 'DELETED', evictionTimestamp: 9 });
  assert.equal(document.actionType, 'DELETED');
  assert.equal(document.lastUpdatedTimestamp, '5');
  assert.equal(document.leaseInfo.evictionTimestamp, 9);
});

suite("a stranger's bag puts nothing into a document that a registration could not", () => {
  const bags: readonly [member: string, value: Instance['bags'][string]][] = [
    ['homePageUrl', 'javascript:alert(1)'],
    ['healthCheckUrl', 'http://{host}:{port}@169.254.169.254/'],
    ['ipAddr', '10.0.0.1 evil'],
    ['hostName', '/'],
    ['vipAddress', 'a\u0000b'],
    ['port', 70_000],
    ['securePort', '443'],
    ['dataCenterInfo', { name: 'Amazon' }],
    ['dataCenterInfo', { name: 'Elsewhere' }],
    ['lastUpdatedTimestamp', -1],
    ['actionType', 'EATEN'],
    ['isCoordinatingDiscoveryServer', 'true'],
    ['__proto__', 'x'],
  ];
  for (const [member, value] of bags) {
    test(`${member} ${JSON.stringify(value)} is passed over`, () => {
      const bag = Object.fromEntries([[member, value]]);
      assert.deepEqual(encodeInstance({ ...orders, bags: { eureka: bag } }), encodeInstance(orders));
    });
  }
  test('a bag that is no object is passed over', () => {
    for (const bag of [null, 'x', 7, ['x']]) {
      assert.deepEqual(encodeInstance({ ...orders, bags: { eureka: bag } }), encodeInstance(orders));
    }
  });
});

suite('bounds of metadata', () => {
  const document = (metadata: Readonly<Record<string, string>>): unknown => ({ ...encodeInstance(orders), metadata });
  test('64 entries of 1 kB pass', () => {
    const entries = Array.from({ length: 64 }, (_, place) => [`name-${100 + place}`, 'x'.repeat(1_016)]);
    assert.equal(Object.keys(decodeInstance(document(Object.fromEntries(entries)), 1).metadata).length, 64);
  });
  test('65 entries are refused', () => {
    const entries = Array.from({ length: 65 }, (_, place) => [`name-${place}`, 'x']);
    assert.throws(() => decodeInstance(document(Object.fromEntries(entries)), 1), {
      code: 'INVALID_INPUT',
      detail: /65 entries; the limit is 64/,
    });
  });
  test('an entry over 1 kB is refused by name, bytes counted as UTF-8', () => {
    assert.throws(() => decodeInstance(document({ 'a-name': 'ä'.repeat(510) }), 1), {
      code: 'INVALID_INPUT',
      detail: 'metadata "a-name" takes 1026 bytes; the limit is 1024',
    });
  });
  test('notes do not count, but have a limit of their own', () => {
    const contracts = Array.from({ length: 60 }, (_, version) => ({ name: 'catalog', version, hash: 'h'.repeat(43) }));
    const many = { ...orders, contracts };
    assert.deepEqual(decodeInstance(encodeInstance(many), 1), many);
    assert.throws(() => decodeInstance(document({ 'flotilla.zone': 'x'.repeat(70_000) }), 1), {
      code: 'INVALID_INPUT',
    });
  });
});
