import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type LogFields, type Logger, nullLogger } from '@flotilla/core';
import type { StoredChange, StoredState } from '../lease/stored-state.ts';
import { anInstance } from '../testing/instances.ts';
import { recordingLogger } from '../testing/recording-logger.ts';
import type { Disk, DiskLog, NewFile } from './disk.ts';
import { type FileStoreOptions, fileStore } from './file-store.ts';
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
  assert.equal(revision, '{"revision":1,"journal":1}');
  assert.match(lease ?? '', /^\{"lease":\{.*\},"instance":\{"id":"a",/);
});

test('a file of somebody else is refused, and not touched', async () => {
  const path = await fileWith('foreign', '{"my":"data"}\n');
  await assert.rejects(fileStore({ path }).load(), { message: /does not begin with .*name another file/ });
  assert.equal(await readFile(path, 'utf8'), '{"my":"data"}\n');
});

/** What a new process would find. */
async function stateIn(options: FileStoreOptions): Promise<StoredState | undefined> {
  const store = fileStore(options);
  const state = await store.load();
  await store.close();
  return state;
}

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
    assert.deepEqual(idsOf(await stateIn({ path })), ['c']);
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
  assert.deepEqual(idsOf(await stateIn({ path, maxBytes: 1_000 })), ['b']);
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

  async write(path: string, { body, head }: NewFile): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const whole = Buffer.concat([head(), ...chunks]);
    this.files.set(path, whole.subarray(0, whole.length / 2)); // torn until synced
    this.step();
    this.files.set(path, whole);
  }

  async openLog(path: string): Promise<DiskLog> {
    if (this.files.has(path)) throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' });
    this.files.set(path, Buffer.alloc(0));
    this.unsynced.push(() => this.files.delete(path));
    return {
      append: async (bytes) => {
        const before = this.files.get(path) ?? Buffer.alloc(0);
        this.files.set(path, Buffer.concat([before, bytes.subarray(0, bytes.length / 2)])); // torn until synced
        this.step();
        this.files.set(path, Buffer.concat([before, bytes]));
      },
      close: async () => {},
    };
  }

  async names(folder: string): Promise<string[]> {
    return [...this.files.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path));
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

const putOf = (id: string, revision: number): StoredChange => {
  const [lease] = stateOf(id).leases;
  assert.ok(lease);
  return { revision, lease };
};
const goneOf = (id: string, revision: number): StoredChange => ({
  revision,
  gone: { service: 'orders', id, incarnation: 1, reason: 'deregistered', until: 9_000 },
});
const journalsOf = (disk: PowerlessDisk) => [...disk.files.keys()].filter((path) => path.includes('.journal-'));

test('what was appended and flushed is loaded after a crash, without any save', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  store.append(putOf('a', 1));
  store.append(putOf('b', 2));
  await store.flush();
  store.append(goneOf('a', 3));
  await store.flush();
  disk.restart(false);
  const again = fileStore({ path: '/f/state', disk });
  const state = await again.load();
  assert.deepEqual(idsOf(state), ['b']);
  assert.deepEqual([state?.revision, state?.tombstones.map(({ id }) => id)], [3, ['a']]);
  assert.equal(again.crowded, true, 'what was replayed is worth a whole save');
});

/** How many writes the one journal consists of. */
function batchesOf(disk: PowerlessDisk): number | undefined {
  const [journal = ''] = journalsOf(disk);
  return disk.files
    .get(journal)
    ?.toString()
    .match(/^\d+ \d+ [0-9a-f]{8}$/gm)?.length;
}

test('changes of one turn share a write, and so do those that come while the disk is busy', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  for (let n = 1; n <= 100; n++) store.append(putOf(`i${n}`, n));
  const first = store.flush();
  await new Promise((resolve) => setImmediate(resolve));
  for (let n = 101; n <= 150; n++) store.append(putOf(`i${n}`, n));
  await Promise.all([first, store.flush()]);
  assert.equal(batchesOf(disk), 2);
});

test('changes that go on coming share a write, until they are worth one', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  for (let n = 1; n <= 40; n++) {
    store.append(putOf(`i${n}`, n));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await store.flush();
  assert.equal(batchesOf(disk), 3, '16, 16 and the last 8');
});

test('a whole save stands for the journal before it; what comes meanwhile is in the next one', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  store.append(putOf('a', 1));
  await store.flush();
  const leases = [...stateOf('a').leases];
  const draft = {
    revision: 1,
    tombstones: [],
    leases: (function* () {
      yield* leases;
      store.append(putOf('late', 2)); // after the draft has passed its place
    })(),
  };
  await store.save(draft);
  await store.flush();
  assert.deepEqual(journalsOf(disk), ['/f/state.journal-2']);
  disk.restart(false);
  assert.deepEqual(idsOf(await fileStore({ path: '/f/state', disk }).load()), ['a', 'late']);
});

test('a store that was closed after a save leaves one file: an older program reads it', async () => {
  const path = join(folder, 'downgrade');
  const store = fileStore({ path });
  await store.load();
  store.append(putOf('a', 1));
  await store.flush();
  await store.save(stateOf('a'));
  await store.close();
  const names = (await readdir(folder)).filter((name) => name.startsWith('downgrade'));
  assert.deepEqual(names, ['downgrade']);
});

/** Everything that is promised by a history of changes and saves, power lost at each of its steps. */
for (const lucky of [true, false]) {
  test(`power lost at any step of appending and saving (${lucky ? 'lucky' : 'unlucky'}) loses nothing that was flushed`, async () => {
    for (let steps = 0; steps < 24; steps++) {
      const disk = new PowerlessDisk();
      const promised = new Map<string, boolean>();
      let store = fileStore({ path: '/f/state', disk });
      await store.load();
      disk.stepsLeft = steps;
      const listed = new Set<string>();
      for (let n = 1; n <= 8; n++) {
        const id = `i${n % 5}`;
        const goes = n % 3 === 0 && listed.has(id);
        store.append(goes ? goneOf(id, n) : putOf(id, n));
        if (goes) listed.delete(id);
        else listed.add(id);
        const flushed = await store.flush().then(
          () => true,
          () => false,
        );
        if (!flushed) break;
        promised.set(id, !goes);
        if (n % 4 === 0) await store.save(stateOf(...listed)).catch(() => undefined);
      }
      disk.restart(lucky);
      const logger = recordingLogger();
      store = fileStore({ path: '/f/state', disk, logger });
      const found = idsOf(await store.load()) ?? [];
      for (const [id, there] of promised) {
        const lastWas = [...promised.keys()].at(-1) === id;
        if (!lastWas) assert.equal(found.includes(id), there, `${id} after ${steps} steps`);
        else if (there) assert.ok(found.includes(id), `${id} after ${steps} steps`);
      }
      assert.deepEqual(
        logger.lines.filter(({ level }) => level === 'error'),
        [],
      );
    }
  });
}

test('a torn last write is cut and said; what follows it is kept', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  store.append(putOf('a', 1));
  await store.flush();
  disk.stepsLeft = 0;
  store.append(putOf('b', 2));
  await assert.rejects(store.flush(), { code: 'STORE_FAILED' });
  disk.restart(true);
  const logger = recordingLogger();
  const second = fileStore({ path: '/f/state', disk, logger });
  assert.deepEqual(idsOf(await second.load()), ['a']);
  assert.match(logger.lines[0]?.message ?? '', /last write of the registry was cut off/);
  second.append(putOf('c', 2));
  await second.flush();
  disk.restart(true);
  assert.deepEqual(idsOf(await fileStore({ path: '/f/state', disk }).load()), ['a', 'c']);
});

test('a journal damaged in its middle is kept aside, the part before it used, the registry told; when ordered it refuses', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  for (const [n, id] of ['a', 'b', 'c'].entries()) {
    store.append(putOf(id, n + 1));
    await store.flush();
  }
  const [journal = ''] = journalsOf(disk);
  const text = disk.files.get(journal)?.toString().replace('"id":"b"', '"id":"x"') ?? '';
  disk.files.set(journal, Buffer.from(text));
  disk.restart(true);
  await assert.rejects(fileStore({ path: '/f/state', disk, onDamaged: 'refuse' }).load(), {
    code: 'STORE_FAILED',
    message: /batch 2 at byte \d+ is broken, and whole ones follow/,
  });
  const logger = recordingLogger();
  const second = fileStore({ path: '/f/state', disk, logger });
  const state = await second.load();
  assert.deepEqual([idsOf(state), state?.incomplete], [['a'], true]);
  assert.equal(logger.lines.filter(({ level }) => level === 'error').length, 1);
  assert.equal(disk.files.get(`${journal}.damaged`)?.toString(), text, 'as it was found');
  second.append(putOf('d', 2));
  await second.flush();
  disk.restart(true);
  const third = await fileStore({ path: '/f/state', disk }).load();
  assert.deepEqual([idsOf(third), third?.incomplete], [['a', 'd'], undefined]);
});

test('a journal of a newer version is kept aside as such', async () => {
  const disk = new PowerlessDisk();
  disk.files.set('/f/state.journal-1', Buffer.from('flotilla-registry-journal 2 1 0\n1 2 abcdefgh\n{}'));
  await fileStore({ path: '/f/state', disk }).load();
  assert.ok(disk.files.has('/f/state.journal-1.newer'));
});

test('a journal of another state file is not replayed onto this one', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  await store.save(stateOf('a'));
  const old = disk.files.get('/f/state') as Buffer;
  store.append(putOf('b', 2));
  await store.flush();
  await store.save(stateOf('a', 'b'));
  store.append(putOf('c', 3));
  await store.flush();
  disk.files.set('/f/state', old); // somebody restored a copy of one file of two
  disk.restart(true);
  const logger = recordingLogger();
  const state = await fileStore({ path: '/f/state', disk, logger }).load();
  assert.deepEqual([idsOf(state), state?.incomplete], [['a'], true]);
  assert.match(String(logger.lines[0]?.fields['detail']), /begins with batch 2, and batch 1 is missing/);
});

test('after a write that failed for want of room, only a whole save makes the journal whole again', async () => {
  const disk = new PowerlessDisk();
  const store = fileStore({ path: '/f/state', disk });
  await store.load();
  store.append(putOf('a', 1));
  await store.flush();
  disk.failWith = 'ENOSPC';
  store.append(putOf('b', 2));
  await assert.rejects(store.flush(), { code: 'STORE_FAILED', message: /ENOSPC/ });
  disk.failWith = undefined;
  store.append(putOf('c', 3));
  await assert.rejects(store.flush(), { message: /ENOSPC/ }, 'b is still missing');
  await store.save(stateOf('a', 'b', 'c'));
  store.append(putOf('d', 4));
  await store.flush();
  disk.restart(false);
  assert.deepEqual(idsOf(await fileStore({ path: '/f/state', disk }).load()), ['a', 'b', 'c', 'd']);
});

test('who took the state over is noticed by the next change', async () => {
  const path = join(folder, 'two-journals');
  const [first, second] = [fileStore({ path }), fileStore({ path })];
  await first.load();
  first.append(putOf('a', 1));
  await first.flush();
  await rm(`${path}.lock`); // somebody was sure
  await second.load();
  first.append(putOf('b', 2));
  await assert.rejects(first.flush(), { message: /another process writes/ });
  second.append(putOf('c', 2));
  await second.flush();
  await second.close();
  assert.deepEqual(idsOf(await stateIn({ path })), ['a', 'c']);
});

test('the last released state file is read, and saved again in a form that its program reads', async () => {
  const path = join(folder, 'released');
  await copyFile(join(import.meta.dirname, '../testing/released/state-1'), path);
  const store = fileStore({ path });
  const state = await store.load();
  assert.deepEqual(idsOf(state), ['orders-1', 'orders-3', 'orders-2']);
  assert.equal(state?.leases[0]?.instance.override, 'out-of-service');
  assert.deepEqual(
    state?.tombstones.map(({ id, reason }) => [id, reason]),
    [['gone-1', 'deregistered']],
  );
  store.append(putOf('new', 7));
  await store.flush();
  await store.close();
  const again = fileStore({ path });
  assert.deepEqual(idsOf(await again.load()), ['orders-1', 'orders-3', 'orders-2', 'new']);
  await again.close();
});

test('the journal of the last released version is read: what was acknowledged before a crash and an upgrade is there', async () => {
  const released = join(import.meta.dirname, '../testing/released/journal-1/state.journal-1');
  await copyFile(released, join(folder, 'state.journal-1'));
  const store = fileStore({ path: join(folder, 'state') });
  const state = await store.load();
  assert.deepEqual(idsOf(state), ['kept']);
  const [kept] = state?.leases ?? [];
  assert.equal(kept?.owner, 'orders');
  assert.equal(kept?.instance.override, 'out-of-service');
  assert.deepEqual(kept?.instance.calls, [{ name: 'stock', version: 2, hash: '' }]);
  assert.deepEqual(
    state?.tombstones.map(({ id }) => id),
    ['left'],
  );
  await store.close();
});
