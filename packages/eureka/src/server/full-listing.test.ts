import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { identity, leaseDefaults } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { createRegistry, type Registry } from '@flotilla/registry/server';
import fc from 'fast-check';
import { appsHashCode, type EurekaApplications } from '../applications.ts';
import { type Format, formats } from '../formats.ts';
import { ApplicationsIndex } from './applications-index.ts';
import { DeltaListing } from './delta.ts';
import { FullListing } from './full-listing.ts';
import { listed, visible } from './listing.ts';
import type { ListBody } from './shared-list.ts';

const clock = new ManualClock();

async function startedRegistry(maxChanges = 16_384): Promise<Registry> {
  const registry = createRegistry({ clock, random: seededRandom(3), limits: { maxChanges } });
  await registry.start();
  return registry;
}

function put(registry: Registry, service: string, id: string, status: 'up' | 'down' = 'up'): void {
  registry.register({
    id,
    identity: identity(service),
    incarnation: 1 + (registry.get({ service, id })?.instance.incarnation ?? 0),
    addresses: [{ protocol: 'http', host: '10.0.0.1', port: 80 }],
    contracts: [],
    status,
    weight: 1,
    lease: leaseDefaults,
    revision: 0,
    metadata: { name: id },
    bags: {},
  });
}

async function bytesOf({ body, length }: ListBody): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  if (body instanceof Uint8Array) pieces.push(body);
  else for await (const piece of body) pieces.push(piece);
  const whole = Buffer.concat(pieces);
  assert.equal(whole.length, length, 'as long as it said');
  return whole;
}

/** What is listed, by application and id, without regard to order, written by nothing but the format. */
function naive(registry: Registry, format: Format): { readonly instances: string[]; readonly hashCode: string } {
  const documents = Array.from(visible(registry), (lease) => listed(lease));
  return {
    instances: documents.map((document) => format.instance(document)).sort(),
    hashCode: appsHashCode(documents.map(({ status }) => status)),
  };
}

/** The documents of a list in JSON. */
function documentsIn(text: string): string[] {
  const { applications } = JSON.parse(text) as {
    applications: { application: { name: string; instance: object[] }[] };
  };
  const names = applications.application.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, 'each application once');
  return applications.application.flatMap(({ instance }) => instance.map((one) => JSON.stringify(one))).sort();
}

test('a list of applications of every size, changed here and there, is what writing all of it would give', async () => {
  const registry = await startedRegistry();
  const full = new FullListing(registry, new ApplicationsIndex(registry, 180_000));
  const list = async (packed: boolean): Promise<string> => {
    const made = await full.list(formats.json, packed, clock.now());
    return packed ? gunzipSync(await bytesOf(made.gzipped())).toString() : (await bytesOf(made.plain())).toString();
  };
  const check = async (): Promise<void> => {
    const { instances, hashCode } = naive(registry, formats.json);
    for (const packed of [true, false]) {
      const text = await list(packed);
      assert.deepEqual(documentsIn(text), instances);
      assert.match(text, new RegExp(`"apps__hashcode":"${hashCode}"`));
    }
  };
  await check();
  for (let n = 0; n < 1_500; n++) put(registry, 'large', `l${n}`);
  for (let n = 0; n < 300; n++) put(registry, `small-${n % 60}`, `s${n}`);
  await check();
  put(registry, 'large', 'l77', 'down');
  await check();
  for (let n = 0; n < 300; n += 60) registry.deregister({ service: 'small-0', id: `s${n}` });
  for (let n = 0; n < 1_500; n += 2) registry.deregister({ service: 'large', id: `l${n}` });
  registry.setOverride({ service: 'small-1', id: 's1' }, 'out-of-service');
  put(registry, 'SMALL-1', 's1'); // namesakes: readers see the first
  put(registry, 'SMALL-1', 'other');
  await check();
  registry.deregister({ service: 'small-1', id: 's1' });
  await check();
  for (const { instance } of [...registry.list()])
    registry.deregister({ service: instance.identity.service, id: instance.id });
  await check();
  await registry.stop('test');
});

test('whatever happens to hundreds of applications, also while lists are made, each list is what writing all of it would give', async () => {
  const step = fc.record({
    app: fc.nat(260),
    id: fc.nat(5),
    what: fc.constantFrom('up', 'down', 'gone', 'list', 'list'),
    form: fc.constantFrom(formats.json, formats.jsonCompact),
    packed: fc.boolean(),
    during: fc.array(fc.nat(260), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(220), fc.array(step, { minLength: 10, maxLength: 60 }), async (apps, steps) => {
      const registry = await startedRegistry(50);
      const full = new FullListing(registry, new ApplicationsIndex(registry, 180_000));
      for (let n = 0; n < apps; n++) put(registry, `app-${n}`, 'i0');
      for (const { app, id, what, form, packed, during } of steps) {
        const key = { service: `app-${app}`, id: `i${id}` };
        if (what === 'gone') registry.deregister(key);
        else if (what !== 'list') put(registry, key.service, key.id, what);
        else {
          const making = full.list(form, packed, clock.now());
          for (const other of during) {
            await new Promise((resolve) => setImmediate(resolve));
            put(registry, `app-${other}`, `i${id}`, 'down');
          }
          const first = await making;
          const former = packed ? gunzipSync(await bytesOf(first.gzipped())) : await bytesOf(first.plain());
          assertFits(former.toString());
          const list = await full.list(form, packed, clock.now());
          const bytes = packed ? gunzipSync(await bytesOf(list.gzipped())) : await bytesOf(list.plain());
          const { instances, hashCode } = naive(registry, form);
          assert.deepEqual(documentsIn(bytes.toString()), instances);
          assert.match(bytes.toString(), new RegExp(`"apps__hashcode":"${hashCode}"`));
        }
      }
      await registry.stop('test');
    }),
    { numRuns: 25 },
  );
});

/** The hash code of a list in JSON is that of its own instances. */
function assertFits(text: string): void {
  const { applications } = JSON.parse(text) as EurekaApplications;
  const statuses = applications.application.flatMap(({ instance }) => instance.map(({ status }) => status));
  assert.equal(applications.apps__hashcode, appsHashCode(statuses));
}

test('a list that many ask for is compressed better, and so are the lists after it as far as they are the same', async () => {
  const registry = await startedRegistry();
  const full = new FullListing(registry, new ApplicationsIndex(registry, 180_000));
  for (let n = 0; n < 2_000; n++) put(registry, `app-${n % 400}`, `i${n}`);
  const list = async (): Promise<Buffer> => bytesOf((await full.list(formats.xml, true, clock.now())).gzipped());
  const first = await list();
  const later = await Promise.all(Array.from({ length: 30 }, list));
  const last = await list();
  for (const one of [...later, last]) assert.deepEqual(gunzipSync(one), gunzipSync(first));
  assert.ok(last.length < 0.6 * first.length, `${last.length} of ${first.length} bytes`);
  put(registry, 'app-7', 'i7', 'down');
  const changed = await list();
  assert.ok(changed.length < 0.8 * first.length, `${changed.length} of ${first.length} bytes`);
  const text = gunzipSync(changed).toString();
  for (const instance of naive(registry, formats.xml).instances) assert.ok(text.includes(instance));
  assert.match(text, /<apps__hashcode>DOWN_1_UP_1999_</);
  const plain = await full.list(formats.xml, false, clock.now());
  assert.equal((await bytesOf(plain.plain())).toString(), text);
  await registry.stop('test');
});

test('all four forms are kept side by side, and one that nobody asks for is forgotten', async () => {
  const registry = await startedRegistry();
  const index = new ApplicationsIndex(registry, 180_000);
  const full = new FullListing(registry, index);
  for (let n = 0; n < 40; n++) put(registry, 'orders', `o${n}`);
  for (const format of Object.values(formats)) {
    const text = (await bytesOf((await full.list(format, false, clock.now())).plain())).toString();
    for (const instance of naive(registry, format).instances) assert.ok(text.includes(instance));
  }
  const kept = () =>
    Array.from(index.chunks()).flatMap(({ applications, written }) => {
      const segments = Array.from(applications.values()).flatMap((one) => one.segments);
      return [written, ...segments.map((one) => one.written)].flatMap(({ full, delta }) => [
        ...full.keys(),
        ...delta.keys(),
      ]);
    });
  assert.equal(kept().length, 8, 'the instances, and the chunk that they stand in');
  await clock.advance(300_000);
  for (let n = 0; n < 40; n++) put(registry, 'orders', `o${n}`);
  await full.list(formats.xml, true, clock.now());
  assert.deepEqual(
    kept().map((key) => key.split(' ')[0]),
    ['xml', 'xml'],
  );
  await registry.stop('test');
});

test('a reader sees what was written before it asked, also when a list is being made, and lists are of one moment', async () => {
  const registry = await startedRegistry();
  const full = new FullListing(registry, new ApplicationsIndex(registry, 180_000));
  for (let n = 0; n < 3_000; n++) put(registry, `app-${n % 30}`, `i${n}`);
  const first = full.list(formats.json, true, clock.now());
  const counts = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      await new Promise((resolve) => setImmediate(resolve));
      put(registry, 'late', `late-${n}`, 'down');
      const list = await full.list(formats.json, n % 2 === 0, clock.now());
      const text = n % 2 === 0 ? gunzipSync(await bytesOf(list.gzipped())) : await bytesOf(list.plain());
      const down = /DOWN_(\d+)_UP_3000_/.exec(text.toString())?.[1];
      const documents = documentsIn(text.toString());
      assert.equal(documents.filter((document) => document.includes('"status":"DOWN"')).length, Number(down));
      assert.ok(documents.some((document) => document.includes(`"late-${n}"`)));
      return documents.length;
    }),
  );
  await first;
  assert.equal(Math.max(...counts), 3_020);
  await registry.stop('test');
});

test('a registry that changed more than it remembers is looked at anew', async () => {
  const registry = await startedRegistry(10);
  const index = new ApplicationsIndex(registry, 180_000);
  const full = new FullListing(registry, index);
  put(registry, 'orders', 'a');
  await full.list(formats.json, false, clock.now());
  for (let n = 0; n < 50; n++) put(registry, 'users', `u${n}`);
  registry.deregister({ service: 'orders', id: 'a' });
  for (let n = 0; n < 50; n++) put(registry, 'users', `u${n}`, 'down');
  const text = (await bytesOf((await full.list(formats.json, false, clock.now())).plain())).toString();
  assert.deepEqual(documentsIn(text), naive(registry, formats.json).instances);
  assert.match(text, /"apps__hashcode":"DOWN_50_"/);
  await registry.stop('test');
});

test('a delta of thousands of changes is written once, and then what changed', async () => {
  const registry = await startedRegistry();
  const delta = new DeltaListing(registry, new ApplicationsIndex(registry, 180_000));
  const documents = async (): Promise<string[]> =>
    documentsIn(gunzipSync(await bytesOf((await delta.list(formats.json, true, clock.now())).gzipped())).toString());
  for (let n = 0; n < 3_000; n++) put(registry, `app-${n % 3}`, `i${n}`);
  assert.equal((await documents()).length, 3_000, 'younger than what it remembers: everybody is in it');
  await clock.advance(60_000);
  for (let n = 0; n < 3_000; n++) registry.renew({ service: `app-${n % 3}`, id: `i${n}` });
  await clock.advance(80_000);
  for (let n = 0; n < 3_000; n++) registry.renew({ service: `app-${n % 3}`, id: `i${n}` });
  await clock.advance(80_000);
  assert.equal((await documents()).length, 0);
  for (let n = 0; n < 600; n++) put(registry, 'app-0', `i${3 * n}`, 'down');
  registry.deregister({ service: 'app-0', id: 'i0' });
  registry.deregister({ service: 'app-1', id: 'i1' });
  const words = (await documents()).map((text) => /"actionType":"([A-Z]+)"/.exec(text)?.[1]);
  assert.deepEqual(
    Object.fromEntries(
      Object.entries(Object.groupBy(words, (word) => word ?? '')).map(([word, all]) => [word, all?.length]),
    ),
    {
      DELETED: 2,
      MODIFIED: 599,
    },
  );
  await registry.stop('test');
});
