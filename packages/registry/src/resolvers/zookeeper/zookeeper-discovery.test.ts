import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock, systemRandom } from '@flotilla/core';
import { TcpLink, until } from '@flotilla/core/testing';
import { ZooKeeperClient } from '../../engines/zookeeper/client.ts';
import { countingClock } from '../../testing/counting-clock.ts';
import { anInstance } from '../../testing/instances.ts';
import { type RecordedLine, recordingLogger } from '../../testing/recording-logger.ts';
import { type ContractWorld, follow, type Listed, placeOf, resolverContract } from '../../testing/resolver-contract.ts';
import { ZooKeeperServer, zookeeperMissing } from '../../testing/zookeeper-server.ts';
import { decodeCuratorInstance, encodeCuratorInstance, nodeName } from './curator-instance.ts';
import { zookeeperDiscovery, zookeeperDiscoveryDefaults } from './zookeeper-discovery.ts';

const orders = { service: 'orders' };
const skip = zookeeperMissing() ?? false;

/** As Spring Cloud ZooKeeper 4 with Curator 5 writes it. */
const springNode = {
  name: 'orders',
  id: '2f6e6d3b-33a5-4f0e-9f7a-3f5fd7c0b6c1',
  address: '10.0.0.7',
  port: 8080,
  sslPort: null,
  payload: {
    '@class': 'org.springframework.cloud.zookeeper.discovery.ZookeeperInstance',
    id: 'orders',
    name: 'orders',
    metadata: { instance_status: 'UP', zone: 'eu-1', team: 'blue' },
  },
  registrationTimeUTC: 1_767_225_600_000,
  serviceType: 'DYNAMIC',
  uriSpec: { parts: [{ value: 'scheme', variable: true }] },
  enabled: true,
};

test('defaults', () => {
  assert.deepEqual(zookeeperDiscoveryDefaults, {
    sessionTimeoutMs: 10_000,
    requestTimeoutMs: 5_000,
    relistEveryMs: 600_000,
    pollEveryMs: 10_000,
  });
});

test('a node of Spring is read', () => {
  const instance = decodeCuratorInstance(springNode);
  assert.deepEqual(
    [instance.id, instance.status, instance.zone, instance.metadata, instance.incarnation],
    [springNode.id, 'up', 'eu-1', { team: 'blue' }, 1_767_225_600_000],
  );
  assert.deepEqual(instance.addresses, [{ protocol: 'http', host: '10.0.0.7', port: 8080 }]);
  const secure = decodeCuratorInstance({ ...springNode, sslPort: 8443, enabled: undefined });
  assert.deepEqual(secure.addresses, [{ protocol: 'https', host: '10.0.0.7', port: 8443 }]);
  const out = { ...springNode.payload, metadata: { instance_status: 'OUT_OF_SERVICE' } };
  assert.equal(decodeCuratorInstance({ ...springNode, payload: out }).status, 'out-of-service');
  assert.equal(decodeCuratorInstance({ ...springNode, enabled: false }).status, 'out-of-service');
  assert.equal(decodeCuratorInstance({ ...springNode, payload: null }).status, 'up');
  const dubbo = { ...springNode.payload, '@class': 'org.apache.dubbo.registry.zookeeper.ZookeeperInstance' };
  assert.equal(decodeCuratorInstance({ ...springNode, payload: dubbo }).addresses[0]?.protocol, 'dubbo');
});

test('a node of ours has what Spring reads, and nothing that older readers do not know', () => {
  const node = encodeCuratorInstance(anInstance({ metadata: { team: 'blue' } }));
  assert.deepEqual(Object.keys(node), [
    'name',
    'id',
    'address',
    'port',
    'sslPort',
    'payload',
    'registrationTimeUTC',
    'serviceType',
    'uriSpec',
  ]);
  assert.deepEqual(node.payload, {
    '@class': 'org.springframework.cloud.zookeeper.discovery.ZookeeperInstance',
    id: 'a',
    name: 'orders',
    metadata: { instance_status: 'UP', team: 'blue' },
  });
  const draining = encodeCuratorInstance(anInstance({ status: 'draining' }));
  assert.deepEqual(
    [draining.enabled, draining.payload.metadata],
    [false, { instance_status: 'OUT_OF_SERVICE', 'flotilla.status': 'draining' }],
  );
  const secure = encodeCuratorInstance(
    anInstance({
      addresses: [
        { protocol: 'rsocket', host: 'h', port: 7 },
        { protocol: 'https', host: 'h', port: 8443 },
      ],
    }),
  );
  assert.deepEqual([secure.port, secure.sslPort], [8443, 8443]);
});

test('names of nodes hold no character that ZooKeeper refuses', () => {
  assert.deepEqual(['a:8080', 'a/b', '50%', '.', '..', 'ü😀', 'a b'].map(nodeName), [
    'a:8080',
    'a%2Fb',
    '50%25',
    '%2E',
    '%2E%2E',
    '%C3%BC%F0%9F%98%80',
    'a b',
  ]);
});

test('urls that cannot be meant are refused', () => {
  for (const [url, message] of [
    ['zookeeper:', /is no server of ZooKeeper; write zookeeper:\/\/127\.0\.0\.1:2181\/services/],
    ['zookeeper://a/b?tsl=true', /did you mean "tls"/],
    ['zookeeper://a/b c', /is no server of ZooKeeper/],
    ['zookeeper://me:secret@/x', /is no server of ZooKeeper/],
    ['zookeeper://a?sessionTimeoutMs=1', /from 1000 to 600000, got "1"/],
  ] as const) {
    assert.throws(
      () => zookeeperDiscovery({ urls: [url], clock: systemClock, random: systemRandom }),
      (error: Error) => message.test(error.message) && !error.message.includes('secret'),
      url,
    );
  }
});

describe('a real ZooKeeper', { skip }, () => {
  let server: ZooKeeperServer;
  let admin: ZooKeeperClient;
  before(async () => {
    // Room for a busy machine: what writes ten thousand nodes is not to lose its session over it.
    server = await ZooKeeperServer.start({ lines: ['maxSessionTimeout=60000'] });
    const patient = { sessionTimeoutMs: 60_000, requestTimeoutMs: 60_000 };
    admin = new ZooKeeperClient({ servers: server.servers, clock: systemClock, random: systemRandom, ...patient });
    await admin.connect();
  });
  after(async () => {
    await admin?.close();
    await server?.end();
  });

  const urls = (): string[] => server.servers.map((address) => `zookeeper://${address}`);

  /** Many at a time: the connection is one. */
  const inBatches = async <T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> => {
    for (let from = 0; from < items.length; from += 500) await Promise.all(items.slice(from, from + 500).map(work));
  };
  const clear = async (path = '/services'): Promise<void> => {
    await inBatches((await admin.children(path))?.names ?? [], (name) => clear(`${path}/${name}`));
    if (await admin.exists(path)) await admin.delete(path);
  };
  const write = async (path: string, data: string): Promise<void> => {
    if (await admin.exists(path)) await admin.set(path, data);
    else await admin.create(path, data);
  };
  const nodeOf = (service: string, listed: Listed): string => {
    const { host, port = 8080, status = 'up' } = listed;
    const addresses = [{ protocol: 'http', host, port }];
    const node = encodeCuratorInstance(anInstance({ service, id: placeOf(listed), status, addresses }));
    return JSON.stringify({ ...node, enabled: true });
  };

  async function openWorld(): Promise<ContractWorld> {
    await clear();
    const clock = countingClock();
    const lines: RecordedLine[] = [];
    const discovery = zookeeperDiscovery({
      urls: urls(),
      clock,
      random: systemRandom,
      logger: recordingLogger(lines),
      requestTimeoutMs: 2_000,
    });
    const known = new Map<string, Map<string, string>>();
    let there = true;
    const start = async (): Promise<void> => {
      await server.startMember();
      await server.ready();
      there = true;
    };
    return {
      resolver: discovery.resolver,
      registrar: discovery.registrar,
      lines,
      async list(service, listed) {
        const now = new Map(listed.map((entry) => [`/services/${service}/${placeOf(entry)}`, nodeOf(service, entry)]));
        const before = known.get(service) ?? new Map<string, string>();
        await admin.ensure(`/services/${service}`);
        await inBatches(
          [...before.keys()].filter((path) => !now.has(path)),
          (path) => admin.delete(path),
        );
        await inBatches(
          [...now].filter(([path, data]) => before.get(path) !== data),
          ([path, data]) => write(path, data),
        );
        known.set(service, now);
      },
      async poison(service) {
        const good = JSON.parse(nodeOf(service, { host: '10.9.9.9' })) as Record<string, unknown>;
        const payload = good['payload'] as Record<string, unknown>;
        const bad: unknown[] = [
          '',
          'not json',
          null,
          [],
          7,
          { ...good, name: 'users' },
          { ...good, address: 'bad host' },
          { ...good, address: null },
          { ...good, port: 70_000 },
          { ...good, port: null },
          { ...good, id: '' },
          { ...good, payload: { ...payload, metadata: { big: 'x'.repeat(5_000) } } },
          { ...good, payload: { ...payload, metadata: JSON.parse('{"__proto__":"polluted"}') } },
          { ...good, payload: { ...payload, metadata: { 'flotilla.addresses': '[{"host":"bad host"}]' } } },
          { ...good, payload: { ...payload, metadata: { big: 'x'.repeat(400_000) } } },
        ];
        await admin.ensure(`/services/${service}`);
        const entries = new Map([[`/services/${service}/good`, JSON.stringify(good)]]);
        for (const [index, value] of bad.entries()) {
          entries.set(`/services/${service}/bad-${index}`, typeof value === 'string' ? value : JSON.stringify(value));
        }
        for (const [path, data] of entries) await write(path, data);
        known.set(service, entries);
      },
      async down() {
        there = false;
        await server.kill();
      },
      up: start,
      until: (what, holds) => until(what, holds),
      async quiet() {
        const asked = clock.now();
        await until('time goes by', () => clock.now() - asked > 500);
      },
      close: () => discovery.close(),
      leftovers: () => clock.pendingTimers,
      async end() {
        if (!there) await start();
      },
    };
  }

  resolverContract('zookeeper', openWorld, { registers: true, forgets: false });

  test('a node is ephemeral: a crash ends it with its session, and not before', async () => {
    await clear();
    const watcher = zookeeperDiscovery({ urls: urls(), clock: systemClock, random: systemRandom });
    const owner = new ZooKeeperClient({
      servers: server.servers,
      clock: systemClock,
      random: systemRandom,
      sessionTimeoutMs: 2_000,
    });
    try {
      await owner.connect();
      const seen = follow(watcher, orders);
      await owner.ensure('/services/orders');
      await owner.create('/services/orders/a', JSON.stringify(encodeCuratorInstance(anInstance())), {
        ephemeral: true,
      });
      await until('it', () => seen.hosts() === '10.0.0.1');
      owner.abandon();
      const leftAt = systemClock.now();
      await until('gone', () => seen.hosts() === '');
      assert.ok(systemClock.now() - leftAt > 1_000, 'not before its session was over');
    } finally {
      owner.abandon();
      await watcher.close();
    }
  });

  test('a session that the servers ended: the instance is registered again in the next one', async () => {
    await clear();
    const lines: RecordedLine[] = [];
    const needs = { clock: systemClock, random: systemRandom, logger: recordingLogger(lines) };
    const link = await TcpLink.to(Number(server.servers[0]?.split(':')[1]));
    const url = `zookeeper://127.0.0.1:${link.port}/services?sessionTimeoutMs=1000`;
    const discovery = zookeeperDiscovery({ urls: [url], ...needs });
    try {
      const registration = discovery.registrar.register(anInstance());
      await registration.announced;
      const before = await admin.exists('/services/orders/a');
      assert.ok(before);
      // The servers go on, so they end it for sure: one that stood still might take the session up again.
      link.cut();
      await until('its session is over', async () => (await admin.exists('/services/orders/a')) === undefined);
      link.heal();
      await until('another session has it', async () => {
        const now = await admin.exists('/services/orders/a');
        return now !== undefined && now.ephemeralOwner !== before.ephemeralOwner;
      });
      await registration.deregister();
      assert.equal(await admin.exists('/services/orders/a'), undefined);
    } finally {
      await discovery.close();
      await link.end();
    }
  });

  test('what somebody took out by hand is made again at the next look', async () => {
    await clear();
    const discovery = zookeeperDiscovery({ urls: urls(), clock: systemClock, random: systemRandom });
    try {
      const registration = discovery.registrar.register(anInstance({ lease: { renewEveryMs: 100, lastsMs: 5_000 } }));
      await registration.announced;
      await admin.delete('/services/orders/a');
      await until('it is back', async () => (await admin.exists('/services/orders/a')) !== undefined);
    } finally {
      await discovery.close();
    }
  });

  test('another root; a node of a dying session is made anew; a process that left takes out nobody else', async () => {
    await clear('/other');
    const needs = { urls: urls().map((url) => `${url}/other/place`), clock: systemClock, random: systemRandom };
    const [before, later] = [zookeeperDiscovery(needs), zookeeperDiscovery(needs)];
    try {
      const first = before.registrar.register(anInstance());
      await first.announced;
      await later.registrar.register(anInstance({ incarnation: 2 })).announced;
      await first.deregister();
      const node = await admin.get('/other/place/orders/a');
      assert.equal(JSON.parse(node?.data.toString() ?? '{}').registrationTimeUTC, 2);
    } finally {
      await before.close();
      await later.close();
    }
  });
});
