import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { createRegistry, fileStore, type Registry, type RegistryStore } from '../src/server/index.ts';
import { anInstance } from '../src/testing/instances.ts';
import { recordingLogger } from '../src/testing/recording-logger.ts';

// A disk of 256 kB, as root may mount one; elsewhere the same is tried with a store that says ENOSPC (file-store.test.ts).
const sizeBytes = 262_144;
const folder = await mkdtemp(join(tmpdir(), 'flotilla-full-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', folder]).status === 0;
if (!mounted) await rm(folder, { recursive: true });

/** A store of which a test learns how each save ended. */
class Observed implements RegistryStore {
  readonly #store: RegistryStore;
  readonly #saves: ((result: string) => void)[] = [];
  readonly #results: string[] = [];

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  load() {
    return this.#store.load();
  }

  append(change: Parameters<RegistryStore['append']>[0]) {
    this.#store.append(change);
  }

  flush() {
    return this.#store.flush();
  }

  get crowded() {
    return this.#store.crowded;
  }

  async save(state: Parameters<RegistryStore['save']>[0]): Promise<void> {
    const result = await this.#store.save(state).then(
      () => undefined,
      (error: unknown) => error,
    );
    const words = result === undefined ? 'saved' : String(result);
    const waiting = this.#saves.shift();
    if (waiting) setImmediate(waiting, words);
    else this.#results.push(words);
    if (result !== undefined) throw result;
  }

  close() {
    return this.#store.close();
  }

  /** How the next save ends. */
  next(): Promise<string> {
    const known = this.#results.shift();
    return known === undefined ? new Promise((resolve) => this.#saves.push(resolve)) : Promise.resolve(known);
  }
}

describe('a registry on a full disk', {
  skip: mounted ? false : 'no disk can be mounted here: NOT tried on a real one',
}, () => {
  const path = join(folder, 'registry.json');
  const clock = new ManualClock();
  const logger = recordingLogger();
  let store: Observed;
  let registry: Registry;
  const messages = (level: string) => logger.lines.filter((line) => line.level === level).map(({ message }) => message);
  const big = (id: string) =>
    anInstance({ id, metadata: Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, 'v'.repeat(900)])) });

  before(async () => {
    store = new Observed(fileStore({ path }));
    registry = createRegistry({ clock, random: seededRandom(1), store, logger, saveDelayMs: 1_000 });
    await registry.start();
  });
  after(async () => {
    await registry.stop('test');
    spawnSync('umount', [folder]);
    await rm(folder, { recursive: true });
  });

  it('goes on in memory, says so, leaves the last good state alone, and saves again when there is room', async () => {
    registry.register(anInstance({ id: 'first' }));
    const first = store.next();
    await clock.advance(1_000);
    assert.equal(await first, 'saved');
    const good = await readFile(path, 'utf8');

    const filler = join(folder, 'filler');
    await writeFile(filler, Buffer.alloc(sizeBytes)).catch(() => undefined);
    for (const id of ['second', 'third']) registry.register(big(id));
    const refused = store.next();
    await clock.advance(1_000);
    assert.match(await refused, /STORE_FAILED.*ENOSPC/);
    assert.equal(registry.size, 3, 'what was answered with 200 is listed');
    assert.match(registry.saving.failing?.reason ?? '', /no space left/);
    assert.deepEqual(messages('error'), ['the registry cannot save its state; it goes on in memory']);
    assert.equal(await readFile(path, 'utf8'), good);
    const names = (await readdir(folder)).filter((name) => !name.includes('.journal-')).sort();
    assert.deepEqual(names, ['filler', 'registry.json', 'registry.json.lock']);

    const again = store.next();
    await clock.advance(5_000);
    assert.match(await again, /ENOSPC/);
    assert.equal(messages('error').length, 1, 'said once');

    await rm(filler);
    const works = store.next();
    await clock.advance(5_000);
    assert.equal(await works, 'saved');
    assert.equal(registry.saving.failing, undefined);
    assert.ok(messages('info').includes('the registry saves its state again'));
    assert.equal((await readFile(path, 'utf8')).match(/"instance":/g)?.length, 3);
  });

  it('starts too when the disk is full', async () => {
    const elsewhere = join(folder, 'other.json');
    await writeFile(join(folder, 'filler'), Buffer.alloc(sizeBytes)).catch(() => undefined);
    const lines = recordingLogger();
    const full = fileStore({ path: elsewhere, logger: lines });
    assert.equal(await full.load(), undefined);
    await assert.rejects(full.save({ revision: 0, leases: [], tombstones: [] }), /ENOSPC/);
    await full.close();
    await rm(join(folder, 'filler'));
  });
});
