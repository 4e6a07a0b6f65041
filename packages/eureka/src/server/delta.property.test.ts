import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Instance, type InstanceStatus, identity } from '@flotilla/core';
import { anInstance, ManualClock, seededRandom } from '@flotilla/core/testing';
import { createRegistry, memoryStore, type Registry } from '@flotilla/registry/server';
import fc from 'fast-check';
import type { EurekaApplications } from '../applications.ts';
import type { EurekaInstance, EurekaStatus } from '../document.ts';
import { formats } from '../formats.ts';
import { ApplicationsIndex } from './applications-index.ts';
import { DeltaListing, deltaRetentionMs } from './delta.ts';
import { FullListing } from './full-listing.ts';
import type { SharedList } from './shared-list.ts';

type Event =
  | { kind: 'register'; id: string; version: string; status: InstanceStatus; zone: string }
  | { kind: 'override'; id: string; version: string; status: InstanceStatus | undefined }
  | { kind: 'deregister'; id: string; version: string }
  | { kind: 'wait'; ms: number }
  | { kind: 'fetch' }
  | { kind: 'restart' };

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
/** Two services of one name: Eureka's readers take them for one. */
const version = fc.constantFrom('', '2');
const status = fc.constantFrom<InstanceStatus>('up', 'starting', 'draining', 'down');
const register = fc.record({
  kind: fc.constant('register' as const),
  id,
  version,
  status,
  zone: fc.constantFrom('z1', 'z2'),
});
const override = fc.record({
  kind: fc.constant('override' as const),
  id,
  version,
  status: fc.option(status, { nil: undefined }),
});
const deregister = fc.record({ kind: fc.constant('deregister' as const), id, version });
const fetch = fc.constant({ kind: 'fetch' as const });
const restart = fc.constant({ kind: 'restart' as const });
const wait = (...ms: number[]) => fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(...ms) });
const event = (waits: fc.Arbitrary<Event>): fc.Arbitrary<Event> =>
  fc.oneof(
    { weight: 6, arbitrary: register },
    { weight: 2, arbitrary: override },
    { weight: 3, arbitrary: deregister },
    { weight: 5, arbitrary: fetch },
    { weight: 3, arbitrary: waits },
    { weight: 1, arbitrary: restart },
  );

/** What `DiscoveryClient` of Java does, without its looks: upsert by id, remove, compare the counts, else fetch all. */
class NaiveClient {
  readonly known = new Map<string, EurekaInstance>();
  fullFetches = 0;

  fetch(delta: string, full: string): void {
    const { applications } = JSON.parse(delta) as EurekaApplications;
    for (const { instance } of applications.application) for (const one of instance) this.#apply(one);
    if (this.hashCode() !== applications.apps__hashcode) this.replace(full);
  }

  replace(full: string): void {
    this.fullFetches++;
    this.known.clear();
    const { applications } = JSON.parse(full) as EurekaApplications;
    for (const { instance } of applications.application) for (const one of instance) this.#apply(one);
  }

  hashCode(): string {
    const order: EurekaStatus[] = ['DOWN', 'OUT_OF_SERVICE', 'STARTING', 'UNKNOWN', 'UP'];
    const count = (wanted: EurekaStatus) => [...this.known.values()].filter((one) => one.status === wanted).length;
    return order.map((one) => (count(one) > 0 ? `${one}_${count(one)}_` : '')).join('');
  }

  #apply(one: EurekaInstance): void {
    const key = `${one.app} ${one.instanceId}`;
    if (one.actionType === 'DELETED') this.known.delete(key);
    else this.known.set(key, one);
  }
}

class Driver {
  readonly clock = new ManualClock();
  readonly #store = memoryStore();
  readonly #random = seededRandom(7);
  #incarnation = 1;
  registry!: Registry;
  #full!: FullListing;
  #delta!: DeltaListing;

  async start(): Promise<void> {
    const { clock } = this;
    this.registry = createRegistry({ clock, random: this.#random, store: this.#store, limits: { maxChanges: 40 } });
    await this.registry.start();
    // So many applications that they stand in several chunks.
    if (this.registry.size === 0) for (let n = 0; n < 70; n++) this.registry.register(bystander(n));
    const index = new ApplicationsIndex(this.registry, deltaRetentionMs);
    this.#full = new FullListing(this.registry, index);
    this.#delta = new DeltaListing(this.registry, index);
  }

  async apply(happened: Exclude<Event, { kind: 'fetch' }>): Promise<void> {
    if (happened.kind === 'wait') return this.clock.advance(happened.ms);
    if (happened.kind === 'restart') {
      await this.registry.stop('test');
      return this.start();
    }
    const key = { service: happened.version ? `orders@${happened.version}` : 'orders', id: happened.id };
    if (happened.kind === 'deregister') this.registry.deregister(key);
    else if (happened.kind === 'override') this.registry.setOverride(key, happened.status);
    else this.registry.register(this.#instance(happened));
  }

  async full(): Promise<string> {
    return textOf(await this.#full.list(formats.json, false, this.clock.now()));
  }

  /** As most clients have it: compressed. */
  async delta(): Promise<string> {
    return unpacked(await this.#delta.list(formats.json, true, this.clock.now()));
  }

  #instance({ id: which, version: of, status: now, zone }: Extract<Event, { kind: 'register' }>): Instance {
    return {
      id: which,
      identity: identity('orders', of === '' ? {} : { version: of }),
      incarnation: this.#incarnation++,
      addresses: [{ protocol: 'http', host: `host-${which}`, port: 8080 }],
      contracts: [],
      status: now,
      zone,
      weight: 1,
      lease: { renewEveryMs: 30_000, lastsMs: 90_000 },
      revision: 0,
      metadata: {},
      bags: {},
    };
  }
}

function bystander(n: number): Instance {
  const host = `other-${n}`;
  return anInstance({ id: 'one', service: host, addresses: [{ protocol: 'http', host, port: 8080 }] });
}

/** What readers act on, by id; times of leases and what was done last apart. */
function listedIn(documents: Iterable<EurekaInstance>): string[] {
  return Array.from(documents, ({ actionType, leaseInfo, lastUpdatedTimestamp, ...rest }) =>
    JSON.stringify(rest),
  ).sort();
}

function fullOf(text: string): EurekaInstance[] {
  return (JSON.parse(text) as EurekaApplications).applications.application.flatMap(({ instance }) => instance);
}

async function run(
  history: readonly Event[],
  check: (client: NaiveClient, driver: Driver) => void | Promise<void>,
): Promise<void> {
  const driver = new Driver();
  await driver.start();
  const client = new NaiveClient();
  client.replace(await driver.full());
  for (const happened of [...history, { kind: 'fetch' as const }]) {
    if (happened.kind !== 'fetch') await driver.apply(happened);
    else {
      client.fetch(await driver.delta(), await driver.full());
      await check(client, driver);
    }
  }
  await driver.registry.stop('test');
}

test('a client that follows deltas knows what a full fetch would tell it, through restarts and lost changes', async () => {
  const often = fc.array(event(wait(1, 1_000, 30_000)), { minLength: 5, maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(often, async (history) => {
      let silentMs = 0;
      const timed: Event[] = history.flatMap((happened): Event[] => {
        if (happened.kind === 'fetch') silentMs = 0;
        if (happened.kind !== 'wait') return [happened];
        silentMs += happened.ms;
        if (silentMs <= deltaRetentionMs) return [happened];
        silentMs = happened.ms;
        return [{ kind: 'fetch' }, happened]; // never longer away than changes are kept
      });
      await run(timed, async (client, driver) => {
        assert.deepEqual(listedIn(client.known.values()), listedIn(fullOf(await driver.full())));
      });
    }),
    { numRuns: 150 },
  );
});

test('a client that was away for longer than changes are kept has the same counts, by a full fetch where they differed', async () => {
  const seldom = fc.array(event(wait(30_000, 180_001, 240_000)), { minLength: 5, maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(seldom, (history) =>
      run(history, async (client, driver) => {
        const { apps__hashcode } = (JSON.parse(await driver.full()) as EurekaApplications).applications;
        assert.equal(client.hashCode(), apps__hashcode);
      }),
    ),
    { numRuns: 40 },
  );
});

test('one who was never away needs no second full fetch while the registry stays up', async () => {
  const calm = fc.array(fc.oneof(register, override, deregister, fetch, wait(1, 1_000)) as fc.Arbitrary<Event>, {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(calm, (history) => run(history, (client) => assert.equal(client.fullFetches, 1))),
    { numRuns: 100 },
  );
});

function textOf(list: SharedList): string {
  const { length, body } = list.plain();
  assert.ok(body instanceof Uint8Array);
  assert.equal(body.length, length);
  return Buffer.from(body).toString();
}

function unpacked(list: SharedList): string {
  const { body } = list.gzipped();
  assert.ok(body instanceof Uint8Array);
  return gunzipSync(body).toString();
}
