import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type LogFields, type Logger, nullLogger } from '@flotilla/core';
import type { StoredState } from '../lease/stored-state.ts';
import { anInstance } from '../testing/instances.ts';
import type { Disk } from './disk.ts';
import { fileStore } from './file-store.ts';
import { readStateFile } from './state-file.ts';

const stateOf = (...ids: string[]): StoredState => ({
  revision: ids.length,
  leases: ids.map((id) => ({
    instance: anInstance({ id }),
    declaredIncarnation: 1,
    registeredAt: 1,
    renewedAt: 1,
    changedAt: 1,
    upAt: 1,
  })),
  tombstones: [],
});
const idsOf = (state: StoredState | undefined) => state?.leases.map(({ instance }) => instance.id);

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-file-'));
});
after(() => rm(folder, { recursive: true }));
const fileWith = async (name: string, text: string) => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

test('the file begins with magic, version, generation and checksum, and is text', async () => {
  const path = join(folder, 'shape');
  const store = fileStore({ path });
  await store.load();
  await store.save(stateOf('a'));
  await store.save(stateOf('a'));
  await store.close();
  const [header, revision, lease] = (await readFile(path, 'utf8')).split('\n');
  assert.match(header ?? '', /^flotilla-registry 1 2 [0-9a-f]{64}$/);
  assert.equal(revision, '{"revision":1}');
  assert.match(lease ?? '', /^\{"lease":\{.*\},"instance":\{"id":"a",/);
});

test('a file of somebody else is refused, and not touched', async () => {
  const path = await fileWith('foreign', '{"my":"data"}\n');
  await assert.rejects(fileStore({ path }).load(), { message: /does not begin with .*name another file/ });
  assert.equal(await readFile(path, 'utf8'), '{"my":"data"}\n');
});

/** A file as it was saved, and what may have become of it. */
async function savedText(): Promise<string> {
  const path = join(folder, 'good');
  const store = fileStore({ path });
  await store.load();
  await store.save(stateOf('a', 'b'));
  await store.close();
  const text = await readFile(path, 'utf8');
  await rm(path);
  return text;
}

const broken: readonly [name: string, breakIt: (text: string) => string, said: RegExp, keptAs?: string][] = [
  ['empty', () => '', /does not begin with/],
  ['half-written', (text) => text.slice(0, text.length / 2), /checksum/],
  ['cut within its first line', (text) => text.slice(0, 20), /does not begin with|first line/],
  ['with a bit flipped in an instance', (text) => text.replace('"id":"a"', '"id":"c"'), /checksum/],
  ['with a bit flipped in its first word', (text) => text.replace('flotilla', 'flntilla'), /does not begin with/],
  ['with a bit flipped in its version', (text) => text.replace('registry 1', 'registry 0'), /first line/],
  ['with a bit flipped in its generation', (text) => text.replace('registry 1 1', 'registry 1 q'), /first line/],
  [
    'of a newer version',
    (text) => text.replace('registry 1', 'registry 2'),
    /of version 2, this program reads up to 1/,
    'newer',
  ],
  ['too large', (text) => text + ' '.repeat(2_000), /bytes; the limit is 2000/],
];
for (const [name, breakIt, said, keptAs = 'damaged'] of broken) {
  test(`a file that is ${name} is kept aside, said loudly, and the registry starts empty; when ordered it refuses`, async () => {
    const path = await fileWith(`broken ${name}`, breakIt(await savedText()));
    const whole = await readFile(path, 'utf8');
    const options = { path, maxBytes: 2_000 };
    await assert.rejects(fileStore({ ...options, onDamaged: 'refuse' }).load(), {
      code: 'STORE_FAILED',
      message: said,
    });
    assert.equal(await readFile(path, 'utf8'), whole, 'untouched');
    const errors: LogFields[] = [];
    const logger: Logger = { ...nullLogger, error: (_, fields = {}) => errors.push(fields) };
    const store = fileStore({ ...options, logger });
    assert.equal(await store.load(), undefined);
    assert.match(String(errors[0]?.['detail']), said);
    assert.equal(errors[0]?.['keptAs'], `${path}.${keptAs}`);
    await store.save(stateOf('c'));
    await store.close();
    assert.equal(await readFile(`${path}.${keptAs}`, 'utf8'), whole, 'as it was found');
    assert.deepEqual(idsOf(await fileStore({ path }).load()), ['c']);
  });
}

test('what was put aside is never overwritten: the tenth broken file stops the start', async () => {
  const path = join(folder, 'again and again');
  for (let n = 1; n <= 9; n++) {
    await writeFile(path, `flotilla-registry 1 ${n} abc\n`);
    const store = fileStore({ path });
    await store.load();
    await store.close();
  }
  assert.equal(await readFile(`${path}.damaged`, 'utf8'), 'flotilla-registry 1 1 abc\n');
  assert.equal(await readFile(`${path}.damaged-9`, 'utf8'), 'flotilla-registry 1 9 abc\n');
  await writeFile(path, 'flotilla-registry 1 10 abc\n');
  await assert.rejects(fileStore({ path }).load(), { code: 'STORE_FAILED', message: /9 files of that kind/ });
});

test('whatever bit flips, wherever it is cut: the state comes back as it was, or not at all', async () => {
  const good = Buffer.from(await savedText());
  const expected = idsOf(stateOf('a', 'b'));
  for (let at = 0; at < good.length; at++) {
    for (const bit of [0, 3, 6]) {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const file = readStateFile(bytes);
      if (!('fault' in file)) assert.deepEqual(idsOf(file.state), expected, `bit ${bit} of byte ${at}`);
    }
    assert.ok('fault' in readStateFile(good.subarray(0, at)), `cut at ${at}`);
  }
});

test('a state that would be too large to be read again is not written over the last good one', async () => {
  const path = join(folder, 'grown');
  const store = fileStore({ path, maxBytes: 1_000 });
  await store.load();
  await store.save(stateOf('a'));
  await assert.rejects(store.save(stateOf('a', 'b', 'c', 'd')), { code: 'STORE_FAILED', message: /the limit is 1000/ });
  await store.save(stateOf('b'));
  await store.close();
  assert.deepEqual(idsOf(await fileStore({ path, maxBytes: 1_000 }).load()), ['b']);
});

test('a second process, or a second store of this one, cannot use the file; after the first has closed it can', async () => {
  const path = join(folder, 'claimed');
  const first = fileStore({ path });
  await first.load();
  await assert.rejects(fileStore({ path }).load(), {
    code: 'STORE_FAILED',
    message: new RegExp(`is in use by process ${process.pid}`),
  });
  await first.close();
  const second = fileStore({ path });
  await second.load();
  await second.close();
});

test('the claim of a process that has ended is taken over', async () => {
  const path = join(folder, 'left');
  await writeFile(`${path}.lock`, '999999999 started 1');
  const store = fileStore({ path });
  assert.equal(await store.load(), undefined);
  await store.close();
});

test('somebody else who writes the file is noticed before it is overwritten', async () => {
  const path = join(folder, 'two-writers');
  const [first, second] = [fileStore({ path }), fileStore({ path })];
  await first.load();
  await first.save(stateOf('a'));
  await rm(`${path}.lock`); // somebody was sure
  await second.load();
  await second.save(stateOf('b'));
  await assert.rejects(first.save(stateOf('c')), { message: /holds generation 2, this registry wrote 1/ });
  await second.close();
});

test('a folder that is not there is said in words', async () => {
  const path = join(folder, 'nowhere', 'state');
  await assert.rejects(fileStore({ path }).load(), { code: 'STORE_FAILED', message: /cannot be claimed in .*ENOENT/ });
});

/**
 * A disk in memory whose power goes at one step: what was not synced is torn, what was renamed but not synced in the
 * folder may be back under its old name.
 */
class PowerlessDisk implements Disk {
  files = new Map<string, Buffer>();
  /** Renames that the folder has not taken for good. */
  unsynced: (() => void)[] = [];
  stepsLeft: number;
  failWith: string | undefined;

  constructor(stepsLeft = Infinity) {
    this.stepsLeft = stepsLeft;
  }

  step(): void {
    if (this.failWith) throw Object.assign(new Error(this.failWith), { code: this.failWith });
    if (this.stepsLeft-- <= 0) throw new Error('power lost');
  }

  async read(path: string, firstBytes?: number): Promise<Buffer | undefined> {
    return this.files.get(path)?.subarray(0, firstBytes);
  }

  async size(path: string): Promise<number | undefined> {
    return this.files.get(path)?.length;
  }

  async write(path: string, chunks: readonly Buffer[]): Promise<void> {
    const whole = Buffer.concat(chunks);
    this.files.set(path, whole.subarray(0, whole.length / 2)); // torn until synced
    this.step();
    this.files.set(path, whole);
  }

  async create(path: string, text: string): Promise<boolean> {
    if (this.files.has(path)) return false;
    this.files.set(path, Buffer.from(text));
    return true;
  }

  async rename(from: string, to: string): Promise<void> {
    this.step();
    const before = this.files.get(to);
    const moved = this.files.get(from);
    if (moved) this.files.set(to, moved);
    this.files.delete(from);
    this.unsynced.push(() => (before ? this.files.set(to, before) : this.files.delete(to)));
  }

  async syncFolder(): Promise<void> {
    this.step();
    this.unsynced = [];
  }

  async remove(path: string): Promise<void> {
    this.files.delete(path);
  }

  /** What the next process finds. @param lucky whether the folder kept what it was not told to. */
  restart(lucky: boolean): void {
    if (!lucky) for (const undo of this.unsynced.reverse()) undo();
    this.unsynced = [];
    this.stepsLeft = Infinity;
    this.failWith = undefined;
    this.files.delete('/f/state.lock');
  }
}

for (const stepsOfSecondSave of [0, 1, 2, 3]) {
  for (const lucky of [true, false]) {
    test(`power lost after ${stepsOfSecondSave} steps of a save (${lucky ? 'lucky' : 'unlucky'}) leaves the old state or the new one`, async () => {
      const disk = new PowerlessDisk();
      const store = fileStore({ path: '/f/state', disk });
      await store.load();
      await store.save(stateOf('old'));
      disk.stepsLeft = stepsOfSecondSave;
      const acknowledged = await store.save(stateOf('new')).then(
        () => true,
        () => false,
      );
      assert.equal(acknowledged, stepsOfSecondSave === 3);
      disk.restart(lucky);
      const [found] = idsOf(await fileStore({ path: '/f/state', disk }).load()) ?? [];
      assert.ok(found === 'new' || (found === 'old' && !acknowledged), `found ${found}`);
    });
  }
}

test('after a failed sync nothing more is acknowledged until the next start', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  await store.save(stateOf('a'));
  disk.failWith = 'EIO';
  await assert.rejects(store.save(stateOf('b')), { code: 'STORE_FAILED', message: /EIO/ });
  disk.failWith = undefined;
  await assert.rejects(store.save(stateOf('c')), { code: 'STORE_FAILED', message: /EIO/ });
  disk.restart(true);
  assert.deepEqual(idsOf(await fileStore({ path: '/f/state', disk }).load()), ['a']);
});

test('a full disk refuses and recovers without a restart', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  disk.failWith = 'ENOSPC';
  await assert.rejects(store.save(stateOf('a')), { code: 'STORE_FAILED', message: /ENOSPC/ });
  assert.equal(disk.files.has('/f/state.new'), false, 'nothing is left that takes room');
  disk.failWith = undefined;
  await store.save(stateOf('b'));
  disk.restart(true);
  assert.deepEqual(idsOf(await fileStore({ path: '/f/state', disk }).load()), ['b']);
});
