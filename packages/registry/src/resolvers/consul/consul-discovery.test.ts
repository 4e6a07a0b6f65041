import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { type MemoryNetwork, memoryNetwork } from '@flotilla/http/memory';
import { type ConsulStub, consulStub } from '../../testing/consul-stub.ts';
import { anInstance } from '../../testing/instances.ts';
import { manualUntil } from '../../testing/manual-until.ts';
import { type RecordedLine, recordingLogger } from '../../testing/recording-logger.ts';
import { type ContractWorld, follow, placeOf, resolverContract } from '../../testing/resolver-contract.ts';
import { afterAnswer, firstBlockingState } from './blocking-query.ts';
import { consulDiscovery, consulDiscoveryDefaults } from './consul-discovery.ts';
import { decodeConsulInstance, encodeConsulInstance } from './consul-instance.ts';

const orders = { service: 'orders' };

class Consul {
  readonly clock = new ManualClock();
  readonly network: MemoryNetwork = memoryNetwork({ clock: this.clock, random: seededRandom(7) });
  readonly lines: RecordedLine[] = [];
  readonly stubs: ConsulStub[] = [];
  readonly discoveries: ReturnType<typeof consulDiscovery>[] = [];

  async agent(host = 'consul', options: Partial<Parameters<typeof consulStub>[0]> = {}): Promise<ConsulStub> {
    const stub = consulStub({ clock: this.clock, random: seededRandom(3), ...options });
    await this.network.listen({ host, port: 8500 }, stub.handler);
    this.stubs.push(stub);
    return stub;
  }

  discovery(urls: readonly string[] = ['consul+http://consul:8500']): ReturnType<typeof consulDiscovery> {
    const { clock, network, lines } = this;
    const discovery = consulDiscovery({
      urls,
      clock,
      network,
      random: seededRandom(5),
      logger: recordingLogger(lines),
    });
    this.discoveries.push(discovery);
    return discovery;
  }

  until(what: string, holds: () => boolean): Promise<void> {
    return manualUntil(this.clock, what, holds);
  }

  async end(): Promise<void> {
    for (const discovery of this.discoveries) await discovery.close();
    for (const stub of this.stubs) stub.stop();
  }
}

async function openWorld(): Promise<ContractWorld> {
  const consul = new Consul();
  const stub = await consul.agent();
  const discovery = consul.discovery();
  const listed = new Map<string, Set<string>>();
  const { clock, network, lines } = consul;
  const timersOfOthers = (): number => 1; // the stub's own
  return {
    resolver: discovery.resolver,
    registrar: discovery.registrar,
    lines,
    async list(service, entries) {
      const ids = new Set(entries.map((entry) => placeOf(entry)));
      for (const id of listed.get(service) ?? []) if (!ids.has(id)) stub.drop(id);
      listed.set(service, ids);
      for (const entry of entries) {
        const { host, port = 8080, status = 'up' } = entry;
        const Meta = status === 'up' ? {} : encodeConsulInstance(anInstance({ status, id: placeOf(entry) })).Meta;
        stub.inject(placeOf(entry), {
          ID: placeOf(entry),
          Service: service,
          Address: host,
          Port: port,
          Meta,
          Tags: [],
        });
      }
      await settle();
    },
    async poison(service) {
      const good = { ID: 'good', Service: service, Address: '10.9.9.9', Port: 8080, Meta: {} };
      const bad: unknown[] = [
        { ...good, Address: 'bad host' },
        { ...good, Address: '0.0.0.0' },
        { ...good, Port: 70_000 },
        { ...good, Port: '8080' },
        { ...good, ID: '' },
        { ...good, Meta: { note: 'x'.repeat(5_000) } },
        {
          ...good,
          Meta: JSON.parse('{"__proto__":"polluted","flotilla-more-0":"[[\\"__proto__\\",\\"polluted\\"]]"}'),
        },
        { ...good, Meta: { 'flotilla-more-0': '{"not":"a list"}' } },
        { ...good, Meta: 7 },
        { Service: service },
      ];
      for (const [index, entry] of bad.entries()) stub.inject(`bad-${index}`, entry);
      stub.inject('good', good);
      listed.set(service, new Set(['good', ...bad.map((_, index) => `bad-${index}`)]));
      await settle();
    },
    async down() {
      network.partition('consul:8500');
    },
    async up() {
      network.heal('consul:8500');
    },
    async emptyOnce(service) {
      stub.emptyOnce(service);
      await settle();
    },
    until: (what, holds) => manualUntil(clock, what, holds),
    quiet: () => clock.advance(60_000),
    close: () => discovery.close(),
    leftovers: () => clock.pendingTimers - timersOfOthers(),
    end: () => consul.end(),
  };
}

resolverContract('consul (stub)', openWorld, { registers: true, forgets: true });

test('defaults', () => {
  assert.deepEqual(consulDiscoveryDefaults, { waitMs: 60_000, askEveryMs: 1_000, requestTimeoutMs: 5_000 });
});

test('an index that goes backwards starts anew; quick answers are slowed down after two', () => {
  const first = firstBlockingState(0);
  const second = afterAnswer(first, 12, 0, 1_000);
  assert.deepEqual([second.state.index, second.waitMs], [12, 0]);
  const third = afterAnswer(second.state, 13, 0, 1_000);
  assert.deepEqual([third.state.index, third.waitMs], [13, 1_000]);
  const back = afterAnswer(third.state, 4, 60_000, 1_000);
  assert.deepEqual([back.state.index, back.waitMs], [0, 0]);
});

test('a change is seen at once, and a calm service costs one query a minute', async () => {
  const consul = new Consul();
  const stub = await consul.agent();
  const seen = follow(consul.discovery(), orders);
  await consul.clock.advance(10);
  const registration = consul.discovery().registrar.register(anInstance());
  await consul.clock.advance(10);
  assert.equal(seen.hosts(), '10.0.0.1');
  await registration.setStatus('draining');
  await consul.clock.advance(1_100);
  assert.equal(seen.statusAt('10.0.0.1'), 'draining');
  await consul.clock.advance(60_000);
  stub.asked.length = 0;
  await consul.clock.advance(600_000);
  const queries = stub.asked.filter((line) => line.startsWith('GET'));
  assert.ok(queries.length >= 9 && queries.length <= 11, `${queries.length} queries in ten minutes`);
  assert.match(queries[0] ?? '', /^GET \/v1\/health\/service\/orders\?index=\d+&wait=60s$/);
  await consul.end();
});

test('after indexes went backwards nothing is missed', async () => {
  const consul = new Consul();
  const stub = await consul.agent();
  const seen = follow(consul.discovery(), orders);
  stub.inject('a', { ID: 'a', Service: 'orders', Address: '10.0.0.1', Port: 8080 });
  await consul.until('it', () => seen.hosts() === '10.0.0.1');
  stub.resetIndex();
  await consul.clock.advance(70_000);
  stub.inject('b', { ID: 'b', Service: 'orders', Address: '10.0.0.2', Port: 8080 });
  await consul.clock.advance(2_000);
  assert.equal(seen.hosts(), '10.0.0.1 10.0.0.2');
  await consul.end();
});

test('an agent that forgot us is told again, whichever way it says so', async () => {
  for (const unknownCheckStatus of [404, 500]) {
    const consul = new Consul();
    const stub = await consul.agent('consul', { unknownCheckStatus });
    const discovery = consul.discovery();
    const seen = follow(discovery, orders);
    discovery.registrar.register(anInstance());
    await consul.until('it', () => seen.hosts() === '10.0.0.1');
    stub.forget();
    await consul.until('gone', () => seen.hosts() === '');
    await consul.until('again', () => seen.hosts() === '10.0.0.1');
    assert.ok(consul.lines.some(({ message }) => message.includes('the registration is gone')));
    await consul.end();
  }
});

test('without a sign of life the check is critical, then the service is taken out', async () => {
  const consul = new Consul();
  await consul.agent();
  const watcher = consul.discovery();
  const seen = follow(watcher, orders);
  const owner = consul.discovery();
  owner.registrar.register(anInstance({ lease: { renewEveryMs: 10_000, lastsMs: 30_000 } }));
  await consul.until('it', () => seen.statusAt('10.0.0.1') === 'up');
  await consul.clock.advance(120_000);
  assert.equal(seen.statusAt('10.0.0.1'), 'up', 'renewed');
  await owner.close();
  await consul.clock.advance(40_000);
  assert.equal(seen.statusAt('10.0.0.1'), 'down');
  await consul.clock.advance(70_000);
  assert.equal(seen.hosts(), '');
  await consul.end();
});

test('with passing=true who does not pass is not listed', async () => {
  const consul = new Consul();
  await consul.agent();
  const seen = follow(consul.discovery(['consul+http://consul:8500?passing=true']), orders);
  const registration = consul.discovery().registrar.register(anInstance());
  await consul.until('it', () => seen.hosts() === '10.0.0.1');
  await registration.setStatus('draining');
  await consul.until('nobody', () => seen.hosts() === '');
  await consul.end();
});

test('a token goes along; a wrong one is named once, and neither is ever shown', async () => {
  const consul = new Consul();
  const stub = await consul.agent('consul', { token: 'sesame' });
  stub.inject('a', { ID: 'a', Service: 'orders', Address: '10.0.0.1', Port: 8080 });
  const wrong = consul.discovery(['consul+http://consul:8500?token=open-up&dc=dc1']);
  const unseen = follow(wrong, orders);
  wrong.registrar.register(anInstance());
  await consul.clock.advance(300_000);
  assert.equal(unseen.sets.length, 0);
  const refused = consul.lines.filter(({ message }) => message.includes('refuse'));
  assert.deepEqual(refused.map(({ message }) => message).sort(), [
    'the registration is refused',
    'the source of instances refuses us',
  ]);
  assert.match(String(refused[0]?.fields['reason']), /token/);
  const right = follow(consul.discovery(['consul+http://consul:8500?token=sesame&dc=dc1']), orders);
  await consul.until('it', () => right.hosts() === '10.0.0.1');
  assert.ok(stub.asked.some((line) => line.endsWith('?dc=dc1')));
  assert.doesNotMatch(JSON.stringify([consul.lines, stub.asked]), /sesame|open-up/);
  await consul.end();
});

test('another agent is asked when one does not answer', async () => {
  const consul = new Consul();
  await consul.agent('one');
  const two = await consul.agent('two');
  const seen = follow(consul.discovery(['consul+http://one:8500', 'consul+http://two:8500']), orders);
  two.inject('a', { ID: 'a', Service: 'orders', Address: '10.0.0.1', Port: 8080 });
  await consul.clock.advance(1_000);
  consul.network.partition('one:8500');
  await consul.until('it', () => seen.hosts() === '10.0.0.1');
  await consul.end();
});

test('services that Spring Cloud Consul registers are read', () => {
  const instance = decodeConsulInstance({
    Node: { Address: '10.1.0.9' },
    Service: {
      ID: 'orders-8443',
      Service: 'orders',
      Address: '',
      Port: 8443,
      Tags: [],
      Meta: { secure: 'true', zone: 'eu-1', version: '2' },
      Weights: { Passing: 3, Warning: 1 },
    },
    Checks: [{ Status: 'passing' }, { Status: 'warning' }],
  });
  assert.deepEqual(instance.addresses, [{ protocol: 'https', host: '10.1.0.9', port: 8443 }]);
  assert.deepEqual(
    [instance.status, instance.zone, instance.weight, instance.metadata],
    ['up', 'eu-1', 3, { version: '2' }],
  );
});

test('what does not fit into Consul is refused with numbers, before it is sent', async () => {
  const metadata = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`dotted.${index}`, 'x'.repeat(1_000)]));
  assert.throws(() => encodeConsulInstance(anInstance({ metadata })), /need \d+ entries; Consul takes 64 of 512 bytes/);
  const consul = new Consul();
  const stub = await consul.agent();
  consul.discovery().registrar.register(anInstance({ metadata }));
  await consul.clock.advance(100);
  assert.ok(consul.lines.some(({ message }) => message === 'the registration is refused'));
  assert.equal(stub.asked.length, 0);
  await consul.end();
});
