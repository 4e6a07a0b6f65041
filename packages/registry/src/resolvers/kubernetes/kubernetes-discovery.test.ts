import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import type { HttpTarget } from '@flotilla/http';
import { type MemoryNetwork, memoryNetwork } from '@flotilla/http/memory';
import { anInstance } from '../../testing/instances.ts';
import { type KubernetesStub, kubernetesStub, type StubEndpoint } from '../../testing/kubernetes-stub.ts';
import { manualUntil } from '../../testing/manual-until.ts';
import { type RecordedLine, recordingLogger } from '../../testing/recording-logger.ts';
import { type ContractWorld, follow, type Listed, resolverContract } from '../../testing/resolver-contract.ts';
import { forZone, joinSlices, readSlice } from './endpoint-slices.ts';
import {
  type KubernetesDiscoveryOptions,
  kubernetesDiscovery,
  kubernetesDiscoveryDefaults,
} from './kubernetes-discovery.ts';

const orders = { service: 'orders' };
const http = [{ name: 'http', port: 8080, protocol: 'TCP' }];

class Cluster {
  readonly clock = new ManualClock();
  readonly network: MemoryNetwork = memoryNetwork({ clock: this.clock, random: seededRandom(7) });
  readonly lines: RecordedLine[] = [];
  readonly stub: KubernetesStub = kubernetesStub({ clock: this.clock });
  readonly discoveries: ReturnType<typeof kubernetesDiscovery>[] = [];

  async open(): Promise<this> {
    await this.network.listen({ host: 'api', port: 80 }, this.stub.handler);
    return this;
  }

  discovery(
    url = 'kubernetes+http://api',
    options: Partial<KubernetesDiscoveryOptions> = {},
  ): ReturnType<typeof kubernetesDiscovery> {
    const { clock, network, lines } = this;
    const needs = { clock, network, random: seededRandom(5), logger: recordingLogger(lines) };
    const discovery = kubernetesDiscovery({ urls: [url], ...needs, ...options });
    this.discoveries.push(discovery);
    return discovery;
  }

  until(what: string, holds: () => boolean): Promise<void> {
    return manualUntil(this.clock, what, holds);
  }

  async end(): Promise<void> {
    for (const discovery of this.discoveries) await discovery.close();
    this.stub.stop();
  }
}

const endpoint = ({ host, status = 'up' }: Listed): StubEndpoint => ({
  addresses: [host],
  conditions:
    status === 'up'
      ? { ready: true, serving: true, terminating: false }
      : { ready: false, serving: true, terminating: true },
});

async function openWorld(): Promise<ContractWorld> {
  const cluster = await new Cluster().open();
  const { clock, network, stub, lines } = cluster;
  const discovery = cluster.discovery();
  const names = new Map<string, string[]>();
  const put = (service: string, endpoints: readonly unknown[]): void => {
    const parts = Array.from({ length: Math.ceil(endpoints.length / 100) }, (_, index) => `${service}-${index}`);
    for (const name of names.get(service) ?? []) if (!parts.includes(name)) stub.delete(name);
    for (const [index, name] of parts.entries()) {
      stub.put(name, { service, endpoints: endpoints.slice(index * 100, (index + 1) * 100), ports: http });
    }
    names.set(service, parts);
  };
  return {
    resolver: discovery.resolver,
    registrar: undefined,
    lines,
    async list(service, listed) {
      put(service, listed.map(endpoint));
      await settle();
    },
    async poison(service) {
      const bad = [
        null,
        7,
        {},
        { addresses: [] },
        { addresses: 'x' },
        { addresses: [7] },
        ...['bad host', '0.0.0.0', '', 'x'.repeat(300)].map((host) => ({ addresses: [host] })),
      ];
      put(service, [
        { addresses: ['10.9.9.9'], nodeName: 'n'.repeat(100) },
        ...bad,
        { addresses: ['10.0.0.1'], nodeName: 'x'.repeat(5_000) },
      ]);
      await settle();
    },
    async down() {
      network.partition('api:80');
    },
    async up() {
      network.heal('api:80');
    },
    async emptyOnce() {
      stub.emptyOnce();
      stub.compact();
      await settle();
    },
    until: (what, holds) => manualUntil(clock, what, holds),
    quiet: () => clock.advance(120_000),
    close: () => discovery.close(),
    leftovers: () => clock.pendingTimers - 1 + stub.watches,
    end: () => cluster.end(),
  };
}

resolverContract('kubernetes (stub)', openWorld, { registers: false, forgets: true });

test('defaults', () => {
  assert.deepEqual(kubernetesDiscoveryDefaults, { watchMs: 300_000, silenceMs: 150_000, requestTimeoutMs: 10_000 });
});

test('a change is pushed; a calm service costs one watch in five minutes and no list', async () => {
  const cluster = await new Cluster().open();
  cluster.stub.put('a', { service: 'orders', endpoints: [{ addresses: ['10.0.0.1'] }], ports: http });
  const seen = follow(cluster.discovery(), orders);
  await settle();
  cluster.stub.put('b', { service: 'orders', endpoints: [{ addresses: ['10.0.0.2'] }], ports: http });
  await settle();
  assert.equal(seen.hosts(), '10.0.0.1 10.0.0.2', 'in the same instant');
  cluster.stub.asked.length = 0;
  await cluster.clock.advance(3_600_000);
  assert.ok(cluster.stub.asked.length <= 16, `${cluster.stub.asked.length} requests in an hour`);
  assert.ok(cluster.stub.asked.every((line) => line.includes('watch=1') && line.includes('allowWatchBookmarks=true')));
  await cluster.end();
});

test('410 Gone: the list is read anew, once, and what happened meanwhile counts', async () => {
  const cluster = await new Cluster().open();
  const { stub, network, clock } = cluster;
  stub.put('a', { service: 'orders', endpoints: [{ addresses: ['10.0.0.1'] }], ports: http });
  const seen = follow(cluster.discovery(), orders);
  await settle();
  network.partition('api:80');
  await clock.advance(1_000);
  stub.put('a', { service: 'orders', endpoints: [{ addresses: ['10.0.0.2'] }], ports: http });
  stub.compact();
  network.heal('api:80');
  await cluster.until('the new one', () => seen.hosts() === '10.0.0.2');
  assert.equal(cluster.lines.filter(({ message }) => message === 'the source is read anew').length, 1);
  await cluster.end();
});

test('a bookmark is gone on from: after it nothing older is asked for', async () => {
  const cluster = await new Cluster().open();
  const { stub, network, clock } = cluster;
  stub.put('a', { service: 'orders', endpoints: [{ addresses: ['10.0.0.1'] }], ports: http });
  follow(cluster.discovery(), orders);
  await settle();
  for (let i = 0; i < 5; i++) stub.put('x', { service: 'users', endpoints: [], ports: http });
  await clock.advance(61_000);
  stub.asked.length = 0;
  network.partition('api:80');
  network.heal('api:80');
  await clock.advance(5_000);
  assert.match(stub.asked[0] ?? '', /resourceVersion=106/);
  await cluster.end();
});

test('lists come in pages, and a broken page leaves the old list', async () => {
  const cluster = await new Cluster().open();
  for (let index = 0; index < 600; index++) {
    stub(cluster, `s${index}`, `10.1.${index >> 8}.${index & 255}`);
  }
  const seen = follow(cluster.discovery(), orders);
  await cluster.until('all', () => seen.last()?.instances.length === 600);
  assert.equal(cluster.stub.asked.filter((line) => !line.includes('watch=1')).length, 3);
  await cluster.end();
});

function stub(cluster: Cluster, name: string, host: string): void {
  cluster.stub.put(name, { service: 'orders', endpoints: [{ addresses: [host] }], ports: http });
}

test('conditions: ready, not ready, terminating, and those that are absent', () => {
  const { endpoints } = readSlice(
    {
      ports: http,
      endpoints: [
        { addresses: ['10.0.0.1'] },
        { addresses: ['10.0.0.2'], conditions: { ready: false, serving: false, terminating: false } },
        { addresses: ['10.0.0.3'], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: ['10.0.0.4'], conditions: { ready: true, terminating: true } },
        { addresses: ['10.0.0.5'], conditions: { ready: null } },
      ],
    },
    { protocol: 'http' },
  );
  assert.deepEqual(
    endpoints.map(({ status }) => status),
    ['up', 'down', 'draining', 'draining', 'up'],
  );
});

test('ports: by name, by appProtocol, by the name in front, or the only one', () => {
  const ports = [
    { name: 'http-web', port: 8080 },
    { name: 'metrics', port: 9090 },
    { name: 'tls', port: 8443, appProtocol: 'https' },
    { name: 'ws', port: 8081, appProtocol: 'kubernetes.io/ws' },
    { name: 'http-udp', port: 53, protocol: 'UDP' },
  ];
  const of = (choice: Parameters<typeof readSlice>[1], given: readonly unknown[] = ports): string[] =>
    readSlice({ ports: given, endpoints: [{ addresses: ['a'] }] }, choice).endpoints.flatMap(({ addresses }) =>
      addresses.map(({ protocol, port }) => `${protocol} ${port}`),
    );
  assert.deepEqual(of({ protocol: 'http' }), ['http 8080', 'https 8443', 'http 8081']);
  assert.deepEqual(of({ protocol: 'http', portName: 'metrics' }), ['http 9090']);
  assert.deepEqual(of({ protocol: 'rsocket' }, [{ port: 7878 }]), ['rsocket 7878']);
  assert.deepEqual(
    readSlice({ ports, endpoints: [{ addresses: ['a'] }] }, { protocol: 'http', portName: 'nope' }).leftOut,
    ['it has no TCP port called "nope"'],
  );
});

test('a pod with two families, or in two slices, is one instance', () => {
  const pod = { targetRef: { kind: 'Pod', name: 'orders-1' } };
  const slices = [
    { ports: http, endpoints: [{ addresses: ['10.0.0.1'], ...pod }] },
    { ports: http, endpoints: [{ addresses: ['fd00::1'], ...pod }] },
    { ports: http, endpoints: [{ addresses: ['10.0.0.1'], ...pod, conditions: { terminating: true } }] },
  ].map((slice) => readSlice(slice, { protocol: 'http' }));
  const [only, ...others] = joinSlices(slices);
  assert.equal(others.length, 0);
  assert.deepEqual(
    [only?.id, only?.status, only?.addresses.map(({ host }) => host)],
    ['orders-1', 'draining', ['10.0.0.1', 'fd00::1']],
  );
});

test('hints count when all that are up have them and one is for our zone', () => {
  const at = (host: string, zones: readonly string[], status: 'up' | 'draining' = 'up') =>
    ({ id: host, addresses: [], status, forZones: zones, metadata: {} }) as const;
  const ids = (list: ReturnType<typeof forZone>): string => list.map(({ id }) => id).join();
  const hinted = [at('a', ['z1']), at('b', ['z2']), at('c', [], 'draining')];
  assert.equal(ids(forZone(hinted, 'z1')), 'a,c');
  assert.equal(ids(forZone(hinted, 'z3')), 'a,b,c', 'nobody is for it');
  assert.equal(ids(forZone([...hinted, at('d', [])], 'z1')), 'a,b,c,d', 'one is without');
  assert.equal(ids(forZone(hinted, undefined)), 'a,b,c');
});

test('zone and node arrive; a name with a namespace is looked for there', async () => {
  const cluster = await new Cluster().open();
  cluster.stub.put('a', {
    service: 'orders',
    namespace: 'shop',
    endpoints: [
      { addresses: ['10.0.0.1'], zone: 'eu-1', nodeName: 'n1', targetRef: { kind: 'Pod', name: 'orders-1' } },
    ],
    ports: http,
  });
  const seen = follow(cluster.discovery(), { service: 'orders.shop' });
  await settle();
  const [instance] = seen.last()?.instances ?? [];
  assert.deepEqual(
    [instance?.id, instance?.zone, instance?.metadata, instance?.identity.service],
    ['orders-1', 'eu-1', { 'kubernetes.node': 'n1' }, 'orders.shop'],
  );
  const elsewhere = follow(cluster.discovery('kubernetes+http://api?namespace=shop'), orders);
  await settle();
  assert.equal(elsewhere.hosts(), '10.0.0.1');
  await cluster.end();
});

test('in a cluster: the service account is taken, its token read again, its CA trusted', async () => {
  const cluster = await new Cluster().open();
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-account-'));
  try {
    for (const [name, text] of [
      ['token', 'first\n'],
      ['ca.crt', 'PEM'],
      ['namespace', 'shop'],
    ] as const) {
      await writeFile(join(folder, name), text);
    }
    const targets: HttpTarget[] = [];
    const { network } = cluster;
    await network.listen({ host: '10.96.0.1', port: 443 }, cluster.stub.handler);
    const recording = {
      listen: network.listen.bind(network),
      connect(target: HttpTarget) {
        targets.push(target);
        return network.connect(target);
      },
    };
    cluster.stub.tokens = new Set(['first', 'second']);
    cluster.stub.put('a', {
      service: 'orders',
      namespace: 'shop',
      endpoints: [{ addresses: ['10.0.0.1'] }],
      ports: http,
    });
    const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
    const seen = follow(
      cluster.discovery('kubernetes:', { env, serviceAccountFolder: folder, network: recording }),
      orders,
    );
    await cluster.until('it', () => seen.hosts() === '10.0.0.1');
    assert.deepEqual(targets, [{ protocol: 'https', host: '10.96.0.1', port: 443, ca: 'PEM' }]);
    await writeFile(join(folder, 'token'), 'second');
    cluster.stub.tokens = new Set(['second']);
    cluster.stub.put('a', {
      service: 'orders',
      namespace: 'shop',
      endpoints: [{ addresses: ['10.0.0.2'] }],
      ports: http,
    });
    cluster.stub.compact();
    await cluster.until('with the new token', () => seen.hosts() === '10.0.0.2');
    assert.ok(!JSON.stringify(cluster.lines).includes('first'));
  } finally {
    await cluster.end();
    await rm(folder, { recursive: true });
  }
});

test('who may not read is told which role is missing, once', async () => {
  const cluster = await new Cluster().open();
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-account-'));
  await writeFile(join(folder, 'token'), 'nobody');
  cluster.stub.tokens = new Set();
  const seen = follow(cluster.discovery(`kubernetes+http://api?token-file=${join(folder, 'token')}`), orders);
  // Files are read in the machine's time, so a request may be late for the clock of the test: that is another line.
  const refused = (): RecordedLine[] => cluster.lines.filter(({ message }) => message.includes('refuses us'));
  await cluster.until('a refusal', () => refused().length > 0);
  await cluster.clock.advance(300_000);
  assert.deepEqual([seen.sets.length, refused().length], [0, 1]);
  assert.match(String(refused()[0]?.fields['reason']), /verbs list and watch on endpointslices .*403/);
  await cluster.end();
  await rm(folder, { recursive: true });
});

test('nothing is registered, and outside of a cluster that is said', async () => {
  const cluster = await new Cluster().open();
  cluster.discovery().registrar.register(anInstance());
  assert.equal(cluster.lines[0]?.message, 'nothing is registered here');
  assert.throws(
    () => cluster.discovery('kubernetes:', { env: {} }),
    /it runs in none \(KUBERNETES_SERVICE_HOST is not set\)/,
  );
  assert.throws(() => cluster.discovery('kubernetes:default'), /write kubernetes: or kubernetes\+https/);
  await cluster.end();
});
