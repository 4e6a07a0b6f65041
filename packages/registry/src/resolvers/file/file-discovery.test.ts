import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FlotillaError, systemClock } from '@flotilla/core';
import { ManualClock, seededRandom, until } from '@flotilla/core/testing';
import { anInstance } from '../../testing/instances.ts';
import { manualUntil } from '../../testing/manual-until.ts';
import { type RecordedLine, recordingLogger } from '../../testing/recording-logger.ts';
import { type ContractWorld, follow, type Listed, placeOf, resolverContract } from '../../testing/resolver-contract.ts';
import { fileDiscovery, fileDiscoveryDefaults } from './file-discovery.ts';
import type { FilePort } from './file-port.ts';

/** A file in memory, whose changes are announced. */
class MemoryFile implements FilePort {
  text: string | undefined;
  watched = 0;
  #changed = (): void => {};

  async read(maxBytes: number): Promise<Uint8Array> {
    if (this.text === undefined) throw new FlotillaError('STORE_FAILED', 'there is no such file');
    if (this.text.length > maxBytes) throw new FlotillaError('STORE_FAILED', 'it is too long');
    return Buffer.from(this.text);
  }

  watch(changed: () => void): () => void {
    this.#changed = changed;
    this.watched++;
    return () => {
      this.watched--;
      this.#changed = () => {};
    };
  }

  write(text: string | undefined): void {
    this.text = text;
    this.#changed();
  }
}

function openFile(): {
  file: MemoryFile;
  clock: ManualClock;
  lines: RecordedLine[];
  discovery: ReturnType<typeof fileDiscovery>;
} {
  const file = new MemoryFile();
  const clock = new ManualClock();
  const lines: RecordedLine[] = [];
  const needs = { clock, random: seededRandom(1), logger: recordingLogger(lines) };
  return { file, clock, lines, discovery: fileDiscovery({ urls: ['file:/services.json'], file, ...needs }) };
}

async function openWorld(): Promise<ContractWorld> {
  const { file, clock, lines, discovery } = openFile();
  const services: Record<string, unknown> = {};
  const entry = (listed: Listed): unknown =>
    listed.status ? { address: `http://${placeOf(listed)}`, status: listed.status } : `http://${placeOf(listed)}`;
  let there = true;
  const write = async (): Promise<void> => {
    if (there) file.write(JSON.stringify({ services }));
    await clock.advance(0);
  };
  return {
    resolver: discovery.resolver,
    registrar: undefined,
    lines,
    async list(service, listed) {
      services[service] = listed.map(entry);
      await write();
    },
    async poison(service) {
      services[service] = ['http://10.9.9.9:8080', ...poison];
      await write();
    },
    async down() {
      there = false;
      file.write(undefined);
    },
    async up() {
      there = true;
      await write();
    },
    until: (what, holds) => manualUntil(clock, what, holds),
    quiet: () => clock.advance(60_000),
    close: () => discovery.close(),
    leftovers: () => clock.pendingTimers + file.watched,
    end: async () => {},
  };
}

const poison: readonly unknown[] = [
  7,
  null,
  'http://10.0.0.1:99999',
  'http://10.0.0.1:0',
  'http://0.0.0.0:80',
  'http://user:secret@10.0.0.1:80',
  'http://bad host:80',
  'redis://10.0.0.1',
  { address: 'http://10.0.0.1:80', addresses: [] },
  { id: 'x', addresses: [] },
  { address: 'http://10.0.0.1:80', weight: -1 },
  { address: 'http://10.0.0.1:80', metadata: { big: 'x'.repeat(2_000) } },
  { address: 'http://10.0.0.1:80', metadata: JSON.parse('{"__proto__":"polluted"}') },
  { address: 'http://10.0.0.1:80', status: 'sideways' },
];

resolverContract('file', openWorld, { registers: false, forgets: false });

test('defaults', () => {
  assert.deepEqual(fileDiscoveryDefaults, { maxFileBytes: 4_194_304, settleMs: 100, pollEveryMs: 5_000 });
});

test('a half-written file that is a document is not taken', async () => {
  const { file, clock, discovery } = openFile();
  file.text = JSON.stringify({ services: { orders: ['http://10.0.0.1:8080', 'http://10.0.0.2:8080'] } });
  const seen = follow(discovery, { service: 'orders' });
  await manualUntil(clock, 'both', () => seen.hosts() === '10.0.0.1 10.0.0.2');
  await clock.advance(1_000);
  file.write('{"services":{"orders":[]}}');
  await clock.advance(50);
  file.write('{"services":{"orders":["http://10.0.0.3:8080"]}}');
  await clock.advance(99);
  file.write('{"services":{"orders":["http://10.0.0.3:8080","http://10.0.0.4:8080"]}}');
  await clock.advance(5_000);
  assert.deepEqual(
    seen.sets.map(({ instances }) => instances.length),
    [2, 2],
  );
  assert.equal(seen.hosts(), '10.0.0.3 10.0.0.4');
  await discovery.close();
});

test('a bad file is said once, and the last good one stays', async () => {
  const { file, clock, lines, discovery } = openFile();
  file.text = '{"services":{"orders":["http://10.0.0.1:8080"]}}';
  const seen = follow(discovery, { service: 'orders' });
  await manualUntil(clock, 'it', () => seen.hosts() === '10.0.0.1');
  for (const bad of ['{"services":{"orders":["http://', '[]', '{"services":{"orders":7}}', '{"services":[]}']) {
    file.write(bad);
    await clock.advance(10_000);
  }
  assert.equal(seen.sets.length, 1);
  const said = lines.filter(({ message }) => message.includes('cannot be used; going on'));
  assert.equal(said.length, 4);
  assert.match(String(said[2]?.fields['reason']), /services\["orders"\] must be a list, got 7/);
  file.write('{"services":{"orders":["http://10.0.0.2:8080"]}}');
  await clock.advance(5_000);
  assert.equal(seen.hosts(), '10.0.0.2');
  assert.ok(lines.some(({ message }) => message.includes('can be used again')));
  await discovery.close();
});

test('an entry may say all that an instance says, and whoever serves a contract is found by it', async () => {
  const { file, clock, discovery } = openFile();
  file.text = JSON.stringify({
    services: {
      orders: [
        {
          id: 'second',
          addresses: ['https://[fd00::2]', { protocol: 'rsocket', host: '10.0.0.2', port: 7878 }],
          zone: 'eu-1',
          weight: 2,
          metadata: { rack: 'a7' },
          contracts: [{ name: 'catalog', version: 1 }],
        },
      ],
    },
  });
  const seen = follow(discovery, { contract: 'catalog' });
  await manualUntil(clock, 'it', () => seen.sets.length > 0);
  const [instance] = seen.last()?.instances ?? [];
  assert.deepEqual(instance?.addresses, [
    { protocol: 'https', host: 'fd00::2', port: 443 },
    { protocol: 'rsocket', host: '10.0.0.2', port: 7878 },
  ]);
  assert.deepEqual(
    [instance?.id, instance?.zone, instance?.weight, instance?.metadata],
    ['second', 'eu-1', 2, { rack: 'a7' }],
  );
  await discovery.close();
});

test('nothing is registered, and that is said', async () => {
  const { lines, discovery } = openFile();
  const registration = discovery.registrar.register(anInstance());
  await registration.announced;
  await registration.setStatus('draining');
  await registration.deregister();
  assert.deepEqual(
    lines.map(({ message, fields }) => [message, fields['instanceId']]),
    [['nothing is registered here', 'a']],
  );
  await discovery.close();
});

test('urls that name no file are refused', () => {
  const needs = { clock: new ManualClock(), random: seededRandom(1) };
  for (const [urls, message] of [
    [['file:'], /names no file/],
    [['file:/a.json', 'file:/b.json'], /takes exactly one url, got 2/],
    [['file:/services.yaml'], /is no \.json file, and nothing here reads others/],
    [['file:/services.json?pol=1'], /has no parameter "pol"/],
    [['file:/100%'], /a percent sign in it as %25/],
  ] as const) {
    assert.throws(() => fileDiscovery({ urls, ...needs }), message);
  }
});

test('a real file: written in place, renamed over, gone and back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-file-'));
  const path = join(folder, 'services.json');
  const write = (host: string): string => JSON.stringify({ services: { orders: [`http://${host}:8080`] } });
  const discovery = fileDiscovery({
    urls: [`file:${path}`],
    clock: systemClock,
    random: Math.random,
    settleMs: 5,
    pollEveryMs: 20,
  });
  try {
    const seen = follow(discovery, { service: 'orders' });
    const lists = (host: string): Promise<void> => until(host, () => seen.hosts() === host);
    await writeFile(path, write('10.0.0.1'));
    await lists('10.0.0.1');
    await writeFile(path, write('10.0.0.2'));
    await lists('10.0.0.2');
    await writeFile(`${path}.new`, write('10.0.0.3'));
    await rename(`${path}.new`, path);
    await lists('10.0.0.3');
    await rm(path);
    await writeFile(path, write('10.0.0.4'));
    await lists('10.0.0.4');
  } finally {
    await discovery.close();
    await rm(folder, { recursive: true });
  }
});
