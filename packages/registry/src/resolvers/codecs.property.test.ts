import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, identity, instanceStatuses, leaseDefaults } from '@flotilla/core';
import fc from 'fast-check';
import { anInstance } from '../testing/instances.ts';
import { decodeConsulInstance, encodeConsulInstance } from './consul/consul-instance.ts';
import { decodeCuratorInstance, encodeCuratorInstance } from './zookeeper/curator-instance.ts';

/** Names and texts that mean something to a dialect, or nearly. */
const names = [
  'zone',
  'weight',
  'secure',
  'scheme',
  'instance_status',
  'flotilla.zone',
  'flotilla.user.zone',
  'flotilla-more-0',
  'consul-x',
  'team',
  'a.b',
  'ü',
];
const texts = [
  '',
  'true',
  'UP',
  'OUT_OF_SERVICE',
  'https',
  '1',
  '007',
  '1e3',
  '-1',
  'x'.repeat(900),
  '😀'.repeat(100),
  '"',
  '{}',
];

const printable = fc.stringMatching(/^[!-~ü€]{1,40}$/);
const instances: fc.Arbitrary<Instance> = fc
  .record({
    id: printable,
    version: fc.constantFrom('', '2'),
    group: fc.constantFrom('default', 'eu'),
    status: fc.constantFrom(...instanceStatuses),
    override: fc.option(fc.constantFrom(...instanceStatuses), { nil: undefined }),
    zone: fc.option(fc.constantFrom('eu-1', 'x'), { nil: undefined }),
    cluster: fc.option(fc.constantFrom('blue'), { nil: undefined }),
    weight: fc.constantFrom(0, 1, 0.5, 3, 100),
    lease: fc.constantFrom(leaseDefaults, { renewEveryMs: 5_000, lastsMs: 15_000 }),
    startedAt: fc.option(fc.constantFrom(0, 1_767_225_600_000), { nil: undefined }),
    incarnation: fc.nat(),
    addresses: fc.array(
      fc.record({
        protocol: fc.constantFrom('http', 'https', 'rsocket', 'dubbo'),
        host: fc.constantFrom('10.0.0.1', 'fd00::1', 'a.example'),
        port: fc.integer({ min: 1, max: 65_535 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    contracts: fc.array(
      fc.record({ name: fc.constantFrom('catalog', 'prices'), version: fc.nat(9), hash: fc.constantFrom('', 'h') }),
      { maxLength: 3 },
    ),
    metadata: fc.dictionary(
      fc.oneof(fc.constantFrom(...names), printable),
      fc.oneof(fc.constantFrom(...texts), printable),
      { maxKeys: 6, noNullPrototype: true },
    ),
  })
  .map(({ version, group, override, zone, cluster, startedAt, ...rest }) =>
    anInstance({
      ...rest,
      identity: identity('orders', { version, group }),
      ...(override === undefined ? undefined : { override }),
      ...(zone === undefined ? undefined : { zone }),
      ...(cluster === undefined ? undefined : { cluster }),
      ...(startedAt === undefined ? undefined : { startedAt }),
    }),
  );

/** The same each time, unless `FLOTILLA_SEED` names another seed. */
const sampling = { numRuns: 500, seed: Number(process.env['FLOTILLA_SEED'] ?? 20_261_128) };

const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('an instance that was written into a node of Curator is read as it was', () => {
  fc.assert(
    fc.property(instances, (instance) => {
      assert.deepEqual(decodeCuratorInstance(overTheWire(encodeCuratorInstance(instance))), overTheWire(instance));
    }),
    sampling,
  );
});

test('an instance that was registered at Consul is read as it was', () => {
  fc.assert(
    fc.property(instances, (instance) => {
      const { Name, ...registration } = encodeConsulInstance(instance);
      const entry = { Service: { ...registration, Service: Name }, Checks: [{ Status: registration.Check.Status }] };
      assert.deepEqual(decodeConsulInstance(overTheWire(entry)), overTheWire(instance));
      for (const [name, text] of Object.entries(registration.Meta)) {
        assert.ok(/^[A-Za-z0-9_-]{1,128}$/.test(name) && Buffer.byteLength(text) <= 512, name);
      }
    }),
    sampling,
  );
});
