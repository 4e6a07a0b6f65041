import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Instance, identity } from '@flotilla/core';
import { decodeZookeeperInstance, encodeZookeeperInstance } from './zookeeper-instance.ts';

const shop: Instance = {
  id: '10.0.0.5:20880',
  identity: identity('shop'),
  incarnation: 1_700_000_000_000,
  addresses: [
    { protocol: 'dubbo', host: '10.0.0.5', port: 20_880 },
    { protocol: 'tri', host: '10.0.0.5', port: 50_051 },
  ],
  contracts: [],
  status: 'up',
  weight: 1,
  lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
  startedAt: 1_700_000_000_001,
  revision: 0,
  metadata: { 'dubbo.metadata.revision': 'abc' },
  bags: {},
};

test('an application is written as a Java provider writes it, and read back without bag or notes', () => {
  const node = encodeZookeeperInstance(shop);
  assert.equal(
    JSON.stringify(node),
    '{"name":"shop","id":"10.0.0.5:20880","address":"10.0.0.5","port":20880,"sslPort":null,' +
      '"payload":{"@class":"org.apache.dubbo.registry.zookeeper.ZookeeperInstance","id":"10.0.0.5:20880","name":"shop",' +
      '"metadata":{"dubbo.endpoints":"[{\\"port\\":20880,\\"protocol\\":\\"dubbo\\"},{\\"port\\":50051,\\"protocol\\":\\"tri\\"}]",' +
      '"dubbo.metadata.revision":"abc","timestamp":"1700000000001"}},' +
      '"registrationTimeUTC":1700000000000,"serviceType":"DYNAMIC","uriSpec":null}',
  );
  assert.deepEqual(decodeZookeeperInstance(node), shop);
});

test('a node without the class is read, and written with it: a Java consumer would not start', () => {
  const { payload, ...node } = encodeZookeeperInstance(shop);
  const { '@class': className, ...bare } = payload;
  const read = decodeZookeeperInstance({ ...node, payload: bare });
  assert.deepEqual(read, shop);
  assert.equal(encodeZookeeperInstance(read).payload['@class'], className);
});

test('an instance without an address has a port that Java takes and a host that never resolves', () => {
  const { address, port } = encodeZookeeperInstance({ ...shop, addresses: [] });
  assert.deepEqual([address, port], ['no-address.invalid', 1]);
});

test('an instance without a lease is a node that outlives its session', () => {
  const { lease: _, ...lasting } = shop;
  assert.equal(encodeZookeeperInstance(lasting).serviceType, 'PERMANENT');
  assert.deepEqual(decodeZookeeperInstance(encodeZookeeperInstance(lasting)), lasting);
});

suite('JSON of another shape is refused by the name of the member', () => {
  const node = encodeZookeeperInstance(shop);
  const rows: readonly [document: unknown, names: RegExp, code?: string][] = [
    [null, /"instance"/],
    [[], /"instance"/],
    [{ ...node, name: 7 }, /instance\.name/],
    [{ ...node, address: undefined }, /instance\.address/],
    [{ ...node, port: '20880' }, /instance\.port/],
    [{ ...node, payload: null }, /instance\.payload/],
    [{ ...node, payload: { metadata: [] } }, /instance\.payload\.metadata/],
    [{ ...node, payload: { metadata: { a: 1 } } }, /instance\.payload\.metadata\.a/],
    [{ ...node, port: 65_536 }, /port must be from 0 to 65535/, 'INVALID_INPUT'],
    [{ ...node, address: 'h 1' }, /"h 1" is not a host/, 'INVALID_INPUT'],
    [{ ...node, name: 'a b' }, /service "a b"/, 'INVALID_INPUT'],
    [{ ...node, registrationTimeUTC: -1 }, /registrationTimeUTC/, 'INVALID_INPUT'],
  ];
  for (const [document, names, code = 'MALFORMED_REQUEST'] of rows) {
    test(`${names}`, () => {
      assert.throws(() => decodeZookeeperInstance(document), { code, detail: names });
    });
  }
});
