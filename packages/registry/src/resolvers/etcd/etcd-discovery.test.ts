import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Instance, systemClock, systemRandom } from '@flotilla/core';
import { until } from '@flotilla/core/testing';
import { EtcdClient } from '../../engines/etcd/client.ts';
import { countingClock } from '../../testing/counting-clock.ts';
import { EtcdServer, etcdMissing } from '../../testing/etcd-server.ts';
import { anInstance } from '../../testing/instances.ts';
import { type RecordedLine, recordingLogger } from '../../testing/recording-logger.ts';
import { type ContractWorld, follow, type Listed, placeOf, resolverContract } from '../../testing/resolver-contract.ts';
import { etcdDiscovery, etcdDiscoveryDefaults } from './etcd-discovery.ts';
import { keyOf } from './etcd-tree.ts';

const orders = { service: 'orders' };
const prefix = '/flotilla/services/';
const skip = etcdMissing() ?? false;

test('defaults', () => {
  assert.deepEqual(etcdDiscoveryDefaults, { requestTimeoutMs: 5_000, relistEveryMs: 600_000 });
});

test('urls that cannot be meant are refused', () => {
  for (const [url, message] of [
    ['etcd:', /is no such url; write etcd\+http:\/\/127\.0\.0\.1:2379/],
    ['etcd+http://a?prefix=x', /the prefix "x" must begin and end with "\/"/],
    ['etcd+https://a?cert-file=/x', /cannot be read/],
    ['etcd+http://a?prefx=/', /did you mean "prefix"/],
  ] as const) {
    assert.throws(() => etcdDiscovery({ urls: [url], clock: systemClock, random: systemRandom }), message);
  }
});

describe('a real etcd', { skip }, () => {
  let server: EtcdServer;
  let admin: EtcdClient;
  before(async () => {
    server = await EtcdServer.start();
    admin = new EtcdClient({ endpoints: server.endpoints, clock: systemClock, random: systemRandom });
  });
  after(async () => {
    admin?.close();
    await server?.end();
  });

  const urls = (): string[] => server.endpoints.map((endpoint) => `etcd+${endpoint}`);
  const listedInstance = (service: string, listed: Listed): Instance => {
    const { host, port = 8080, status = 'up' } = listed;
    return anInstance({ service, id: placeOf(listed), status, addresses: [{ protocol: 'http', host, port }] });
  };
  const put = async (entries: readonly (readonly [string, string])[]): Promise<void> => {
    for (let from = 0; from < entries.length; from += 100) {
      const steps = entries.slice(from, from + 100).map(([key, value]) => ({ kind: 'put', key, value }) as const);
      await admin.transact({ compare: [], success: steps });
    }
  };

  async function openWorld(): Promise<ContractWorld> {
    await admin.delete({ prefix });
    const clock = countingClock();
    const lines: RecordedLine[] = [];
    const discovery = etcdDiscovery({
      urls: urls(),
      clock,
      random: systemRandom,
      logger: recordingLogger(lines),
      requestTimeoutMs: 2_000,
    });
    let there = true;
    const known = new Map<string, Map<string, string>>();
    return {
      resolver: discovery.resolver,
      registrar: discovery.registrar,
      lines,
      async list(service, listed) {
        const entries = listed.map((entry) => {
          const instance = listedInstance(service, entry);
          return [keyOf(prefix, instance), JSON.stringify(instance)] as const;
        });
        const [before, now] = [known.get(service) ?? new Map<string, string>(), new Map(entries)];
        for (const key of before.keys()) if (!now.has(key)) await admin.delete({ key });
        known.set(service, now);
        await put(entries.filter(([key, value]) => before.get(key) !== value));
      },
      async poison(service) {
        const good = listedInstance(service, { host: '10.9.9.9' });
        const at = (id: string, value: unknown): readonly [string, string] => [
          `${prefix}${service}/${id}`,
          typeof value === 'string' ? value : JSON.stringify(value),
        ];
        const entries = [
          [keyOf(prefix, good), JSON.stringify(good)] as const,
          at('text', 'not json'),
          at('null', 'null'),
          at('list', []),
          at('long', `"${'x'.repeat(300_000)}"`),
          at('deep', `${'['.repeat(50_000)}${']'.repeat(50_000)}`),
          at('elsewhere', good),
          at('host', { ...good, id: 'host', addresses: [{ protocol: 'http', host: 'bad host', port: 1 }] }),
          at('port', { ...good, id: 'port', addresses: [{ protocol: 'http', host: '10.0.0.1', port: 70_000 }] }),
          at('meta', { ...good, id: 'meta', metadata: { big: 'x'.repeat(5_000) } }),
          at(
            'proto',
            JSON.stringify({ ...good, id: 'proto' }).replace('"metadata":{}', '"metadata":{"__proto__":"polluted"}'),
          ),
        ];
        for (const entry of entries) await put([entry]);
        known.set(service, new Map(entries));
      },
      async down() {
        there = false;
        await server.kill();
      },
      async up() {
        server.startMember();
        await server.ready();
        there = true;
      },
      until: (what, holds) => until(what, holds),
      async quiet() {
        // Long enough for each try to fail, or for each watch to have told what it would.
        const asked = clock.now();
        await until('time goes by', () => clock.now() - asked > 500);
      },
      close: () => discovery.close(),
      leftovers: () => clock.pendingTimers,
      async end() {
        if (!there) {
          server.startMember();
          await server.ready();
        }
      },
    };
  }

  resolverContract('etcd', openWorld, { registers: true, forgets: false });

  test('a crash ends the lease: the instance is gone after it, and not before', async () => {
    await admin.delete({ prefix });
    const needs = { urls: urls(), clock: systemClock, random: systemRandom };
    const watcher = etcdDiscovery(needs);
    const owner = etcdDiscovery(needs);
    try {
      const seen = follow(watcher, orders);
      await owner.registrar.register(anInstance({ lease: { renewEveryMs: 1_000, lastsMs: 5_000 } })).announced;
      await until('it', () => seen.hosts() === '10.0.0.1');
      await owner.close(); // stops renewing without a word
      const leftAt = systemClock.now();
      await until('gone', () => seen.hosts() === '', 20_000);
      assert.ok(systemClock.now() - leftAt > 2_000, 'not before its lease was over');
    } finally {
      await watcher.close();
    }
  });

  test('what somebody took out by hand is written again at the next renewal', async () => {
    await admin.delete({ prefix });
    const discovery = etcdDiscovery({ urls: urls(), clock: systemClock, random: systemRandom });
    try {
      const seen = follow(discovery, orders);
      const registration = discovery.registrar.register(anInstance({ lease: { renewEveryMs: 200, lastsMs: 5_000 } }));
      await registration.announced;
      await until('it', () => seen.hosts() === '10.0.0.1');
      await admin.delete({ prefix });
      await until(
        'told gone and back',
        () => seen.sets.some(({ instances }) => instances.length === 0) && seen.hosts() === '10.0.0.1',
      );
      await registration.deregister();
      assert.equal((await admin.range({ prefix })).count, 0);
    } finally {
      await discovery.close();
    }
  });

  test('a process that left does not take out the one that came after it under its id', async () => {
    await admin.delete({ prefix });
    const needs = { urls: urls(), clock: systemClock, random: systemRandom };
    const [before, later] = [etcdDiscovery(needs), etcdDiscovery(needs)];
    try {
      const first = before.registrar.register(anInstance());
      await first.announced;
      await later.registrar.register(anInstance({ incarnation: 2 })).announced;
      await first.deregister();
      const { pairs } = await admin.range({ prefix });
      assert.equal(JSON.parse(pairs[0]?.value.toString() ?? '{}').incarnation, 2);
    } finally {
      await before.close();
      await later.close();
    }
  });

  test('compaction: the list is read anew', async () => {
    await admin.delete({ prefix });
    const lines: RecordedLine[] = [];
    const discovery = etcdDiscovery({
      urls: urls(),
      clock: systemClock,
      random: systemRandom,
      logger: recordingLogger(lines),
    });
    try {
      await put([[keyOf(prefix, anInstance()), JSON.stringify(anInstance())]]);
      const seen = follow(discovery, orders);
      await until('it', () => seen.hosts() === '10.0.0.1');
      await server.pause();
      await until('it is noticed', () => lines.some(({ message }) => message.includes('cannot be reached')));
      server.resume();
      const next = anInstance({ id: 'b', addresses: [{ protocol: 'http', host: '10.0.0.2', port: 8080 }] });
      await admin.compact(await admin.put(keyOf(prefix, next), JSON.stringify(next)));
      await until('both', () => seen.hosts() === '10.0.0.1 10.0.0.2');
    } finally {
      await discovery.close();
    }
  });
});
