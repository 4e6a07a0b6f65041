import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { createRegistry, type Registry } from '../server/registry.ts';
import { anInstance } from '../testing/instances.ts';
import { backUpState, restoreState } from './backup.ts';
import { nodeDisk } from './disk.ts';
import { fileStore } from './file-store.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flotilla-backup-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);

async function running(name = 'state'): Promise<Registry> {
  const registry = createRegistry({
    clock: new ManualClock(),
    random: seededRandom(1),
    store: fileStore({ path: path(name) }),
  });
  await registry.start();
  return registry;
}

const ids = (registry: Registry): string[] => Array.from(registry.list(), ({ instance }) => instance.id).sort();

test('a registry that runs is backed up with all that it acknowledged, and a stopped one takes it back', async () => {
  const registry = await running();
  registry.register(anInstance({ id: 'a' }));
  registry.register(anInstance({ id: 'b' }));
  registry.deregister({ service: 'orders', id: 'b' });
  await registry.settled();
  const before = (await readdir(folder)).sort();
  const facts = await backUpState({ path: path('state'), backup: path('backup') });
  assert.deepEqual({ ...facts, bytes: 0 }, { instances: 1, tombstones: 1, revision: 3, bytes: 0 });
  assert.deepEqual((await readdir(folder)).sort(), ['backup', ...before], 'nothing else changed');
  registry.register(anInstance({ id: 'c' }));
  await registry.stop('test');

  const restored = await restoreState({ path: path('state'), backup: path('backup') });
  assert.equal(restored.instances, 1);
  assert.ok((await readdir(folder)).includes('state.before-restore'));
  const again = await running();
  assert.deepEqual(ids(again), ['a']);
  assert.equal(again.register(anInstance({ id: 'b' })).outcome, 'stale', 'who has left stays away');
  await again.stop('test');
});

test('a journal that goes on after a crash is in the backup, and put aside by a restore', async () => {
  const registry = await running();
  registry.register(anInstance({ id: 'a' }));
  await registry.settled();
  const journal = (await readdir(folder)).filter((name) => name.includes('.journal-'));
  assert.equal(journal.length, 1);
  await backUpState({ path: path('state'), backup: path('backup') });
  await registry.stop('test'); // then there is no journal; put one back, as if it had been killed
  await writeFile(path(journal[0] ?? ''), 'left over');
  await restoreState({ path: path('state'), backup: path('backup') });
  const again = await running();
  assert.deepEqual(ids(again), ['a']);
  await again.stop('test');
  await assert.rejects(restoreState({ path: path('state'), backup: path('backup') }), {
    code: 'STORE_FAILED',
    detail: /before-restore.*remove it first/,
  });
});

test('while the registry runs nothing is restored under it', async () => {
  const registry = await running();
  registry.register(anInstance());
  await registry.settled();
  await backUpState({ path: path('state'), backup: path('backup') });
  await assert.rejects(restoreState({ path: path('state'), backup: path('backup') }), {
    code: 'STORE_FAILED',
    detail: /in use by process/,
  });
  await registry.stop('test');
});

test('what cannot be used is refused by name: no state, no backup, a damaged one, one that is there', async () => {
  const parts = { path: path('state'), backup: path('backup') };
  await assert.rejects(backUpState(parts), { detail: /there is no state/ });
  await assert.rejects(restoreState(parts), { detail: /there is no backup/ });
  const registry = await running();
  registry.register(anInstance());
  await registry.stop('test');
  await backUpState(parts);
  await assert.rejects(backUpState(parts), { detail: /is there already/ });
  const bytes = await readFile(path('backup'));
  await writeFile(path('backup'), bytes.subarray(0, bytes.length - 3));
  await assert.rejects(restoreState(parts), { detail: /the backup .* cannot be used: .*checksum/ });
  assert.deepEqual(ids(await running()), ['a'], 'the state is untouched');
});

test('a registry that saves while it is read is read again', async () => {
  const registry = await running();
  registry.register(anInstance({ id: 'a' }));
  await registry.stop('test');
  const other = await readFile(path('state'));
  let reads = 0;
  const disk = {
    ...nodeDisk,
    async read(where: string, firstBytes?: number) {
      const bytes = await nodeDisk.read(where, firstBytes);
      // At the first look the file is of another generation than afterwards.
      const stale = where === path('state') && reads++ === 0;
      return stale ? Buffer.from(String(other).replace(/^(\S+ \S+) \d+/, '$1 77')) : bytes;
    },
  };
  const facts = await backUpState({ path: path('state'), backup: path('backup'), disk });
  assert.equal(facts.instances, 1);
  assert.equal(reads, 4);
});
