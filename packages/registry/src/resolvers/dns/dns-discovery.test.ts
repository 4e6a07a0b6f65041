import assert from 'node:assert/strict';
import { Resolver as NodeResolver } from 'node:dns/promises';
import { test } from 'node:test';
import { Call, FlotillaError, systemClock, systemRandom } from '@flotilla/core';
import { ManualClock, seededRandom, settle, until } from '@flotilla/core/testing';
import {
  aaaaRecord,
  aRecord,
  cnameRecord,
  dnsTestServer,
  nameBytes,
  soaRecord,
  srvRecord,
} from '../../testing/dns-server.ts';
import { manualUntil } from '../../testing/manual-until.ts';
import { type RecordedLine, recordingLogger } from '../../testing/recording-logger.ts';
import { type ContractWorld, follow, resolverContract } from '../../testing/resolver-contract.ts';
import { dnsDiscovery, dnsDiscoveryDefaults } from './dns-discovery.ts';
import type { DnsPort } from './dns-port.ts';
import { nodeDns } from './engines/node-dns.ts';
import type { DnsAnswer, DnsRecord } from './message.ts';

/** Name servers that a test writes the answers of. */
class ScriptedDns implements DnsPort {
  readonly answers = new Map<string, Exclude<DnsAnswer, { kind: 'truncated' }>>();
  readonly asked: string[] = [];
  reachable = true;
  readonly emptyOnce = new Set<string>();

  async ask({ name, type }: { name: string; type: string }): ReturnType<DnsPort['ask']> {
    this.asked.push(`${type} ${name}`);
    if (!this.reachable) throw new FlotillaError('CONNECTION_LOST', 'no name server answers');
    if (this.emptyOnce.delete(name)) return { kind: 'nothing' };
    return this.answers.get(`${type} ${name}`) ?? { kind: 'nothing', ttlMs: 30_000 };
  }
}

const orders = { service: 'orders' };
const srv = (target: string, parts: Partial<Extract<DnsRecord, { type: 'SRV' }>> = {}): DnsRecord => ({
  type: 'SRV',
  ttlMs: 5_000,
  priority: 0,
  weight: 0,
  port: 8080,
  target,
  ...parts,
});

function scripted(url = 'dns:_http._tcp.{service}.fleet.internal') {
  const dns = new ScriptedDns();
  const clock = new ManualClock();
  const lines: RecordedLine[] = [];
  const discovery = dnsDiscovery({ urls: [url], dns, clock, random: seededRandom(2), logger: recordingLogger(lines) });
  return { dns, clock, lines, discovery };
}

async function openWorld(): Promise<ContractWorld> {
  const { dns, clock, lines, discovery } = scripted();
  const nameOf = (service: string): string => `_http._tcp.${service}.fleet.internal`;
  const serve = (service: string, records: readonly DnsRecord[]): void => {
    dns.answers.set(`SRV ${nameOf(service)}`, { kind: 'found', records });
  };
  return {
    resolver: discovery.resolver,
    registrar: undefined,
    lines,
    async list(service, listed) {
      serve(
        service,
        listed.map(({ host, port = 8080 }) => srv(host, { port })),
      );
    },
    async poison(service) {
      const bad = [
        srv(''),
        srv('bad host'),
        srv('0.0.0.0'),
        srv('10.0.0.1', { port: 0 }),
        srv('x'.repeat(300)),
        srv('a@b'),
      ];
      serve(service, [srv('10.9.9.9'), ...bad]);
    },
    async down() {
      dns.reachable = false;
    },
    async up() {
      dns.reachable = true;
    },
    async emptyOnce(service) {
      dns.emptyOnce.add(nameOf(service));
      await clock.advance(60_000);
    },
    until: (what, holds) => manualUntil(clock, what, holds),
    quiet: () => clock.advance(120_000),
    close: () => discovery.close(),
    leftovers: () => clock.pendingTimers,
    end: async () => {},
  };
}

resolverContract('dns', openWorld, { registers: false, forgets: true, drains: false });

test('defaults', () => {
  assert.deepEqual(dnsDiscoveryDefaults, { minTtlMs: 1_000, maxTtlMs: 30_000, timeoutMs: 5_000 });
});

test('a name is asked for again as its records grow old, within bounds', async () => {
  for (const [ttlMs, least, most] of [
    [5_000, 12, 14],
    [0, 60, 70],
    [86_400_000, 3, 4],
  ] as const) {
    const { dns, clock, discovery } = scripted();
    dns.answers.set('SRV _http._tcp.orders.fleet.internal', { kind: 'found', records: [srv('10.0.0.1', { ttlMs })] });
    const seen = follow(discovery, orders);
    await settle();
    assert.equal(seen.hosts(), '10.0.0.1');
    await clock.advance(60_000);
    const asked = dns.asked.length;
    assert.ok(asked >= least && asked <= most, `${asked} questions in a minute for a ttl of ${ttlMs}`);
    await discovery.close();
  }
});

test('no such name is an answer, that the servers cannot say is none', async () => {
  const { dns, clock, lines, discovery } = scripted();
  const name = 'SRV _http._tcp.orders.fleet.internal';
  dns.answers.set(name, { kind: 'found', records: [srv('10.0.0.1')] });
  const seen = follow(discovery, orders);
  await settle();
  dns.answers.set(name, { kind: 'failed', reason: 'SERVFAIL' });
  await clock.advance(3_600_000);
  assert.equal(seen.hosts(), '10.0.0.1');
  const said = lines.filter(({ level }) => level === 'warn');
  assert.equal(said.length, 1);
  assert.match(String(said[0]?.fields['reason']), /SERVFAIL/);
  dns.answers.set(name, { kind: 'nothing' });
  await clock.advance(60_000);
  assert.equal(seen.hosts(), '', 'gone, at the second answer');
  await discovery.close();
});

test('of SRV records the first priority counts, with weights; of two with one name there is one', async () => {
  const { dns, discovery } = scripted();
  dns.answers.set('SRV _http._tcp.orders.fleet.internal', {
    kind: 'found',
    records: [
      srv('a', { priority: 1, weight: 30 }),
      srv('b', { priority: 1 }),
      srv('B', { priority: 1 }),
      srv('spare', { priority: 2, weight: 99 }),
    ],
  });
  const seen = follow(discovery, orders);
  await settle();
  assert.deepEqual(
    seen.last()?.instances.map(({ id, weight }) => [id.toLowerCase(), weight]),
    [
      ['a:8080', 30],
      ['b:8080', 0.1],
    ],
  );
  await discovery.close();
});

test('a fixed name is that of one service; nobody is found by a contract, and that is said', async () => {
  const { dns, lines, discovery } = scripted('dns:orders.internal?type=a&port=9000&protocol=https');
  dns.answers.set('A orders.internal', { kind: 'found', records: [{ type: 'A', ttlMs: 1_000, address: '10.0.0.1' }] });
  const [right, wrong, contract] = [orders, { service: 'users' }, { contract: 'orders' }].map((target) =>
    follow(discovery, target),
  );
  await settle();
  assert.deepEqual(right?.last()?.instances[0]?.addresses, [{ protocol: 'https', host: '10.0.0.1', port: 9000 }]);
  assert.deepEqual([wrong?.last()?.instances, contract?.last()?.instances], [[], []]);
  assert.ok(lines.some(({ message }) => message.includes('name a service')));
  await discovery.close();
});

test('urls that cannot be meant are refused', () => {
  for (const [url, message] of [
    ['dns:', /names nothing/],
    ['dns:a/b', /names nothing/],
    ['dns:orders.internal?type=mx', /"type" must be one of srv, a, aaaa/],
    ['dns:orders.internal?port=0', /"port" must be a whole number from 1 to 65535, got "0"/],
    ['dns:orders.internal?protocol=rsocket', /needs a parameter "port"/],
    ['dns:orders.internal?minTtlMs=9000&maxTtlMs=10', /"minTtlMs" is above "maxTtlMs"/],
    ['dns:orders.internal?prot=80', /did you mean "port"\?/],
  ] as const) {
    assert.throws(() => scripted(url), message, url);
  }
});

const real = { clock: systemClock, random: systemRandom };

async function ask(port: DnsPort, name: string, type: 'A' | 'AAAA' | 'SRV', timeoutMs = 5_000) {
  const call = new Call({ ...real, deadline: systemClock.now() + timeoutMs });
  try {
    return await port.ask({ name, type }, call);
  } finally {
    call.end();
  }
}

test('a real server, over UDP: addresses, services, aliases, no such name; Node reads the same', async () => {
  const server = await dnsTestServer();
  const dns = nodeDns({ servers: [server.address] });
  const oracle = new NodeResolver();
  oracle.setServers([server.address]);
  try {
    server.zone.set('A orders.test', {
      records: [
        cnameRecord('orders.test', 'x.test', 7),
        aRecord('x.test', '10.0.0.1', 30),
        aRecord('other.test', '10.6.6.6'),
      ],
    });
    assert.deepEqual(await ask(dns, 'orders.test', 'A'), {
      kind: 'found',
      records: [{ type: 'A', address: '10.0.0.1', ttlMs: 7_000 }],
    });
    server.zone.set('AAAA orders.test', { records: [aaaaRecord('orders.test', 5)] });
    assert.deepEqual(await ask(dns, 'orders.test', 'AAAA'), {
      kind: 'found',
      records: [{ type: 'AAAA', address: 'fd00::5', ttlMs: 60_000 }],
    });
    assert.deepEqual(await oracle.resolve6('orders.test'), ['fd00::5']);
    server.zone.set('SRV _http._tcp.test', {
      records: [srvRecord('_http._tcp.test', 'a.test', 8080, { priority: 1, weight: 2 })],
    });
    assert.deepEqual(await ask(dns, '_http._tcp.test', 'SRV'), {
      kind: 'found',
      records: [{ type: 'SRV', priority: 1, weight: 2, port: 8080, target: 'a.test', ttlMs: 60_000 }],
    });
    assert.deepEqual(await oracle.resolveSrv('_http._tcp.test'), [
      { name: 'a.test', port: 8080, priority: 1, weight: 2, type: 'SRV' },
    ]);
    server.zone.set('A gone.test', { code: 3, authorities: [soaRecord('test', 15)] });
    assert.deepEqual(await ask(dns, 'gone.test', 'A'), { kind: 'nothing', ttlMs: 15_000 });
    server.zone.set('A broken.test', { code: 2 });
    assert.deepEqual(await ask(dns, 'broken.test', 'A'), { kind: 'failed', reason: 'SERVFAIL' });
    assert.deepEqual(await ask(dns, 'empty.test', 'A'), { kind: 'found', records: [] });
  } finally {
    oracle.cancel();
    await server.close();
  }
});

test('what does not fit comes over TCP: 2,000 addresses', async () => {
  const server = await dnsTestServer();
  try {
    const records = Array.from({ length: 2_000 }, (_, index) =>
      aRecord('many.test', `10.0.${index >> 8}.${index & 255}`),
    );
    server.zone.set('A many.test', { truncated: true, records });
    const answer = await ask(nodeDns({ servers: [server.address] }), 'many.test', 'A');
    assert.equal(answer.kind === 'found' ? answer.records.length : 0, 2_000);
    assert.deepEqual(server.asked, ['udp A many.test', 'tcp A many.test']);
  } finally {
    await server.close();
  }
});

test('the next server is asked when one is silent or fails', async () => {
  const [silent, failing, good] = [await dnsTestServer(), await dnsTestServer(), await dnsTestServer()];
  try {
    silent.zone.set('A a.test', { raw: 'silent' });
    failing.zone.set('A a.test', { code: 5 });
    good.zone.set('A a.test', { records: [aRecord('a.test', '10.0.0.1')] });
    const servers = [silent, failing, good].map(({ address }) => address);
    assert.equal((await ask(nodeDns({ servers, serverTimeoutMs: 50 }), 'a.test', 'A')).kind, 'found');
    await assert.rejects(ask(nodeDns({ servers: [silent.address], serverTimeoutMs: 50 }), 'a.test', 'A'), {
      code: 'CONNECTION_LOST',
    });
  } finally {
    await Promise.all([silent, failing, good].map((server) => server.close()));
  }
});

test('hostile answers: broken ones are refused, foreign ones are passed over, none hangs', async () => {
  const server = await dnsTestServer();
  const dns = nodeDns({ servers: [server.address], serverTimeoutMs: 200 });
  const question = Buffer.concat([nameBytes('a.test'), Buffer.from([0, 1, 0, 1])]);
  const answer = (count: number, ...rest: Uint8Array[]): Buffer =>
    Buffer.concat([Buffer.from([0x81, 0x80, 0, 1, count >> 8, count & 255, 0, 0, 0, 0]), question, ...rest]);
  const record = (name: Uint8Array, type: number, length: number, data: Uint8Array): Buffer =>
    Buffer.concat([name, Buffer.from([0, type, 0, 1, 0, 0, 0, 60, length >> 8, length & 255]), data]);
  const pointerTo = (at: number): Buffer => Buffer.from([0xc0 | (at >> 8), at & 255]);
  const start = 12 + question.length;
  try {
    const broken: Record<string, Buffer> = {
      'more records than there are': answer(9, record(pointerTo(12), 1, 4, Buffer.from([10, 0, 0, 1]))),
      'a record past the end': answer(1, record(pointerTo(12), 1, 400, Buffer.from([10, 0, 0, 1]))),
      'a pointer to itself': answer(1, record(pointerTo(start), 1, 4, Buffer.from([10, 0, 0, 1]))),
      'a pointer forward': answer(1, record(pointerTo(start + 20), 1, 4, Buffer.from([10, 0, 0, 1]))),
      'a label of an unknown kind': answer(1, record(Buffer.from([0x80, 1]), 1, 4, Buffer.from([10, 0, 0, 1]))),
      'an address of three bytes': answer(1, record(pointerTo(12), 1, 3, Buffer.from([10, 0, 0]))),
      '60,000 records promised': answer(60_000, Buffer.alloc(0)),
    };
    for (const [what, raw] of Object.entries(broken)) {
      server.zone.set('A a.test', { raw });
      await assert.rejects(ask(dns, 'a.test', 'A'), { code: 'BAD_RESPONSE' }, what);
    }
    for (const raw of [Buffer.from([]), Buffer.from([1, 2, 3]), Buffer.alloc(65), answer(0).subarray(0, 14)]) {
      server.zone.set('A a.test', { raw });
      await assert.rejects(ask(dns, 'a.test', 'A'), { code: 'CONNECTION_LOST' }, 'no answer to us');
    }
    server.zone.set('A a.test', { strays: 20, records: [aRecord('a.test', '10.0.0.1')] });
    assert.equal((await ask(dns, 'a.test', 'A')).kind, 'found', 'strays are passed over');
    server.zone.set('A a.test', { strays: 1_000 });
    await assert.rejects(ask(dns, 'a.test', 'A'), { code: 'CONNECTION_LOST' }, 'but not without end');
    const circle = Array.from({ length: 20 }, (_, index) =>
      cnameRecord(index === 0 ? 'a.test' : `a${index}.test`, `a${index + 1}.test`),
    );
    server.zone.set('A a.test', { records: circle });
    await assert.rejects(ask(dns, 'a.test', 'A'), /more than 16 aliases/);
  } finally {
    await server.close();
  }
});

test('whole: instances of a real server, re-resolved when its zone changes', async () => {
  const server = await dnsTestServer();
  const url = `dns:_http._tcp.{service}.test?server=${server.address}&minTtlMs=20`;
  const discovery = dnsDiscovery({ urls: [url], ...real });
  try {
    server.zone.set('SRV _http._tcp.orders.test', {
      records: [srvRecord('_http._tcp.orders.test', 'a.test', 8080, { ttl: 0 })],
    });
    const seen = follow(discovery, orders);
    await until('it', () => seen.hosts() === 'a.test');
    server.zone.set('SRV _http._tcp.orders.test', {
      records: [srvRecord('_http._tcp.orders.test', 'b.test', 8080, { ttl: 0 })],
    });
    await until('the other', () => seen.hosts() === 'b.test');
    server.zone.set('SRV _http._tcp.orders.test', { code: 3 });
    await until('nobody', () => seen.hosts() === '');
  } finally {
    await discovery.close();
    await server.close();
  }
});
