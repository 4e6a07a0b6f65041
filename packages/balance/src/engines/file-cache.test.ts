import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatTarget, type Instance, type Logger, nullLogger, type Target } from '@flotilla/core';
import { instance } from '../../test/fleet.ts';
import { formatStoredSet } from '../stored-set.ts';
import { createFileCache } from './file-cache.ts';

const target: Target = { service: 'orders' };
const savedAt = 1_767_225_600_000;

const full: Instance = instance('a', {
  override: 'out-of-service',
  zone: 'z1',
  cluster: 'blue',
  weight: 0.5,
  lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
  startedAt: savedAt,
  contracts: [{ name: 'orders', version: 1, hash: 'abc' }],
  metadata: { owner: 'team-a' },
  bags: { eureka: { app: 'ORDERS', list: [1, null, true] } },
});

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'flotilla-live-set-'));
  t.after(() => rm(path, { recursive: true }));
  return join(path, 'made-on-demand');
}

async function onlyFile(path: string): Promise<string> {
  const [name, ...more] = await readdir(path);
  assert.ok(name);
  assert.deepEqual(more, [], 'no temporary file is left');
  return join(path, name);
}

test('what was saved is loaded, every field of it', async (t) => {
  const cache = createFileCache({ directory: await directory(t) });
  assert.equal(await cache.load(target), undefined);
  await cache.save(target, { instances: [instance('b')], savedAt: 1 });
  await cache.save(target, { instances: [full, instance('b')], savedAt });
  assert.deepEqual(await cache.load(target), { instances: [full, instance('b')], savedAt });
});

test('targets do not share a file, however they are named', async (t) => {
  const path = await directory(t);
  const cache = createFileCache({ directory: path });
  const targets: Target[] = [
    { service: 'orders' },
    { contract: 'orders' },
    { service: 'Orders' },
    { service: '../orders' },
    { service: 'x'.repeat(255) },
  ];
  for (const [index, each] of targets.entries()) {
    await cache.save(each, { instances: [instance(`i${index}`)], savedAt });
  }
  for (const [index, each] of targets.entries()) {
    assert.equal((await cache.load(each))?.instances[0]?.id, `i${index}`);
  }
  assert.equal((await readdir(path)).length, targets.length);
});

test('files are readable by their owner only', async (t) => {
  const path = await directory(t);
  await createFileCache({ directory: path }).save(target, { instances: [full], savedAt });
  assert.equal((await stat(await onlyFile(path))).mode & 0o777, 0o600);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
});

test('saves at the same time leave one whole set', async (t) => {
  const path = await directory(t);
  const cache = createFileCache({ directory: path });
  await Promise.all([1, 2, 3, 4].map((n) => cache.save(target, { instances: [instance(`i${n}`)], savedAt: n })));
  const kept = await cache.load(target);
  assert.equal(kept?.instances[0]?.id, `i${kept?.savedAt}`);
  await onlyFile(path);
});

const rotten: readonly [claim: string, rot: (text: string) => string, reason: RegExp][] = [
  ['an empty file', () => '', /does not begin with "flotilla-live-set"/],
  ['another format', () => '{"instances":[]}', /does not begin with/],
  ['a torn file', (text) => text.slice(0, text.length / 2), /checksum does not fit/],
  ['a flipped letter', (text) => text.replace('8080', '8081'), /checksum does not fit/],
  ['a newer version', (text) => text.replace('set 1 ', 'set 2 '), /its format is version 2, this reads 1/],
  ['another target', () => formatStoredSet('service:other', { instances: [], savedAt }), /it is about "service:other"/],
  ['no list', () => stored({ instances: {} }), /instances is no list/],
  ['no status', () => stored({ instances: [{ ...full, status: 'fine' }] }), /status is no status/],
  [
    'a port out of range',
    () => stored({ instances: [{ ...full, addresses: [{ protocol: 'http', host: 'h', port: 65_536 }] }] }),
    /port is 65536/,
  ],
  ['a weight below 0', () => stored({ instances: [{ ...full, weight: -1 }] }), /weight is no number/],
  [
    'metadata that is no text',
    () => stored({ instances: [{ ...full, metadata: { a: 1 } }] }),
    /metadata "a" is no text/,
  ],
  [
    'a key that pollutes',
    () => stored({ instances: [{ ...full, metadata: JSON.parse('{"__proto__":"x"}') }] }),
    /metadata has "__proto__"/,
  ],
];

/** A file whose checksum is right and whose content is not. */
function stored(changes: Record<string, unknown>): string {
  return formatStoredSet('service:orders', { savedAt, instances: [], ...changes } as never);
}

for (const [claim, rot, reason] of rotten) {
  test(`${claim} is not used, and the log says why`, async (t) => {
    const path = await directory(t);
    const reasons: unknown[] = [];
    const logger: Logger = { ...nullLogger, warn: (_message, fields) => void reasons.push(fields?.['reason']) };
    const cache = createFileCache({ directory: path, logger });
    await cache.save(target, { instances: [full], savedAt });
    const file = await onlyFile(path);
    await writeFile(file, rot(await readFile(file, 'utf8')));
    assert.equal(await cache.load(target), undefined);
    assert.equal(reasons.length, 1);
    assert.match(String(reasons[0]), reason);
  });
}

test('a set over the limit is refused and the old one stays; a file over it is not read', async (t) => {
  const path = await directory(t);
  await createFileCache({ directory: path }).save(target, { instances: [full], savedAt });
  const small = createFileCache({ directory: path, maxBytes: 100 });
  await assert.rejects(small.save(target, { instances: [full], savedAt: 2 }), { code: 'STORE_FAILED' });
  assert.equal(await small.load(target), undefined);
  assert.equal((await createFileCache({ directory: path }).load(target))?.savedAt, savedAt);
});

test('a directory that cannot be made is a store that failed', async (t) => {
  const path = await directory(t);
  await createFileCache({ directory: path }).save(target, { instances: [full], savedAt });
  const blocked = createFileCache({ directory: await onlyFile(path) });
  await assert.rejects(blocked.save(target, { instances: [], savedAt }), { code: 'STORE_FAILED' });
});

test('what was read is told until something newer is saved', async (t) => {
  const path = await directory(t);
  await createFileCache({ directory: path }).save(target, { instances: [full], savedAt });
  const cache = createFileCache({ directory: path });
  assert.deepEqual(cache.fromDisk(), []);
  await cache.load(target);
  assert.deepEqual(cache.fromDisk(), [{ target: formatTarget(target), instances: 1, savedAt }]);
  await cache.save(target, { instances: [], savedAt });
  assert.deepEqual(cache.fromDisk(), []);
  await cache.load(target);
  assert.deepEqual(cache.fromDisk(), []);
});

test('secrets in metadata stay out of the file', async (t) => {
  const path = await directory(t);
  const metadata = {
    'user.password': 'hunter2',
    apiKey: 'hunter2',
    'auth-Token': 'hunter2',
    store: 'redis://me:hunter2@redis:6379',
    'user.name': 'me',
    page: 'http://shop.example:8080/@me',
  };
  await createFileCache({ directory: path }).save(target, { instances: [{ ...full, metadata }], savedAt });
  const [name = ''] = await readdir(path);
  assert.equal((await readFile(join(path, name), 'utf8')).includes('hunter2'), false);
  const kept = await createFileCache({ directory: path }).load(target);
  assert.deepEqual(kept?.instances[0]?.metadata, { 'user.name': 'me', page: 'http://shop.example:8080/@me' });
});
