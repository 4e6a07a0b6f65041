import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import { LeaseTable } from '../lease/lease-table.ts';
import { registryLimits } from '../lease/limits.ts';
import type { StoredState } from '../lease/stored-state.ts';
import type { RegistryStore } from '../server/store.ts';
import { anInstance } from '../testing/instances.ts';
import { fileStore } from './file-store.ts';
import { memoryStore } from './memory-store.ts';

/** A state with everything in it, and `extra` more instances. */
function aState(extra = 0): StoredState {
  const table = new LeaseTable(registryLimits, seededRandom(1));
  const moment = { at: 0, wallAt: 1_800_000_000_000 };
  table.register(anInstance({ metadata: { ü: 'line\nfeed' }, bags: { eureka: { ipAddr: '10.0.0.1' } } }), moment);
  table.register(anInstance({ id: 'gone' }), moment);
  table.deregister({ service: 'orders', id: 'gone' }, moment);
  table.register(anInstance({ id: 'evicted', lease: { renewEveryMs: 1_000, lastsMs: 5_000 } }), moment);
  table.setOverride({ service: 'orders', id: 'evicted' }, 'out-of-service', moment);
  table.sweep({ at: 5_000, wallAt: moment.wallAt + 5_000 }, 5_000);
  for (let i = 0; i < extra; i++) table.register(anInstance({ id: `i${i}` }), moment);
  return table.save(moment);
}

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-store-'));
});
after(() => rm(folder, { recursive: true }));

/** What every store promises. `reopen` gives what a new process would find. */
function storeContract(
  engine: string,
  make: (name: string) => { first: RegistryStore; reopen: () => RegistryStore },
): void {
  test(`${engine}: a store to which nothing was saved holds nothing`, async () => {
    const { first } = make('empty');
    assert.equal(await first.load(), undefined);
    await first.close();
  });

  test(`${engine}: what was saved is what is loaded`, async () => {
    const { first, reopen } = make('round-trip');
    const state = aState(1_200);
    await first.load();
    await first.save(state);
    await first.close();
    const again = reopen();
    assert.deepEqual(await again.load(), state);
    await again.close();
  });

  test(`${engine}: the last save counts, also over a reopening`, async () => {
    const { first, reopen } = make('last');
    await first.load();
    await first.save(aState(2));
    await first.save(aState(1));
    await first.close();
    const second = reopen();
    await second.load();
    await second.save(aState());
    await second.close();
    const third = reopen();
    assert.deepEqual(await third.load(), aState());
    await third.close();
  });

  test(`${engine}: changes on top of a save are loaded with it, the last word about each instance`, async () => {
    const { first, reopen } = make('changes');
    await first.load();
    await first.save(aState(2));
    const [lease] = aState(3).leases.slice(-1);
    assert.ok(lease);
    first.append({ revision: 90, lease });
    first.append({ revision: 91, gone: { service: 'orders', id: 'i0', incarnation: 1, reason: 'evicted', until: 5 } });
    await first.flush();
    await first.close();
    const again = reopen();
    const state = await again.load();
    assert.equal(state?.revision, 91);
    assert.deepEqual(state?.leases, [...aState(2).leases.filter(({ instance }) => instance.id !== 'i0'), lease]);
    assert.equal(state?.tombstones.at(-1)?.id, 'i0');
    await again.close();
  });

  test(`${engine}: what is loaded later is not changed by changing what was saved`, async () => {
    const { first, reopen } = make('copy');
    const state = structuredClone(aState()) as { revision: number };
    await first.load();
    await first.save(state as StoredState);
    state.revision = 99;
    await first.close();
    const again = reopen();
    assert.notEqual((await again.load())?.revision, 99);
    await again.close();
  });
}

storeContract('memory', () => {
  const store = memoryStore();
  return { first: store, reopen: () => store };
});
storeContract('file', (name) => {
  const path = join(folder, name);
  return { first: fileStore({ path }), reopen: () => fileStore({ path }) };
});
