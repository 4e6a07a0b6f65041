import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCluster } from '@flotilla/balance';
import {
  FlotillaError,
  type Instance,
  type InstanceSet,
  nullLogger,
  type Registration,
  type Target,
} from '@flotilla/core';
import { anInstance, ManualClock, seededRandom, settle, unheard } from '@flotilla/core/testing';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { routesHandler } from '@flotilla/http';
import { type MemoryNetwork, memoryNetwork } from '@flotilla/http/memory';
import { createRegistry, type Registry, registryRoutes } from '@flotilla/registry/server';
import { connectDiscovery } from './connect.ts';
import type { Discovery } from './discovery.ts';
import { loadKind } from './kinds.ts';
import { severalRegistries } from './several.ts';

const contracts = [{ name: 'orders', version: 1, hash: 'abc' }];
const instance = (id: string): Instance =>
  anInstance({ id, contracts, weight: 2, zone: 'a', metadata: { colour: 'blue' } });

/** Registries that answer in our tongue and in Eureka's, each on a host of its own. */
class World {
  readonly clock = new ManualClock();
  readonly network: MemoryNetwork = memoryNetwork({ clock: this.clock, random: seededRandom(1) });
  readonly #stops: (() => Promise<unknown>)[] = [];

  async registry(host: string): Promise<{ registry: Registry; stop: () => Promise<void> }> {
    const registry = createRegistry({ clock: this.clock, random: seededRandom(2), warmingMs: 0 });
    await registry.start();
    await this.clock.advance(0);
    const handler = routesHandler([...registryRoutes(registry), ...eurekaRoutes(registry)]);
    const listener = await this.network.listen({ host, port: 8761 }, handler);
    const stop = async (): Promise<void> => {
      await registry.stop('test');
      await Promise.all([listener.drain(0), this.clock.advance(0)]);
      await settle();
    };
    this.#stops.push(stop);
    return { registry, stop };
  }

  async connect(...urls: string[]): Promise<Discovery> {
    const { network, clock } = this;
    const discovery = await connectDiscovery(urls, { network, clock, random: seededRandom(3), logger: nullLogger });
    this.#stops.unshift(() => discovery.close());
    return discovery;
  }

  async end(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }
}

function watched(discovery: Discovery, target: Target): { last: () => InstanceSet | undefined; ids: () => string } {
  const sets: InstanceSet[] = [];
  discovery.resolver.watch(target, (set) => sets.push(set));
  const last = (): InstanceSet | undefined => sets.at(-1);
  return {
    last,
    ids: () =>
      last()
        ?.instances.map(({ id }) => id)
        .sort()
        .join() ?? 'nothing',
  };
}

/** A Eureka server packs its lists, which is the machine's affair and takes real time. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}

test('URLs of one kind are one registry: an instance is registered at the first that answers', async () => {
  const world = new World();
  const [a, b] = [await world.registry('a'), await world.registry('b')];
  const discovery = await world.connect('http://a:8761', 'http://b:8761');
  await discovery.registrar.register(instance('one')).announced;
  assert.deepEqual([a.registry.size, b.registry.size], [1, 0]);
  await world.end();
});

test('URLs with different names are two registries: registered in both, merged, and one that is down changes nothing', async () => {
  const world = new World();
  const [a, b] = [await world.registry('a'), await world.registry('b')];
  const server = await world.connect('http://a:8761#east', 'http://b:8761#west');
  const registration = server.registrar.register(instance('both'));
  await registration.announced;
  assert.deepEqual([a.registry.size, b.registry.size], [1, 1]);
  const [east, west] = [await world.connect('http://a:8761'), await world.connect('http://b:8761')];
  await east.registrar.register(instance('east')).announced;
  await west.registrar.register(instance('west')).announced;

  const caller = watched(server, { service: 'orders' });
  await settle();
  assert.equal(caller.ids(), 'both,east,west');
  assert.equal(caller.last()?.warming, false);

  await b.stop();
  await world.clock.advance(600_000);
  assert.equal(caller.ids(), 'both,east,west');
  await registration.deregister();
  await settle();
  // The registry that is down still has it in its last word: nobody was seen to drain.
  assert.equal(caller.ids(), 'both,east,west');
  await world.end();
});

test('an instance that drained is gone, although a registry that is down had it as up', async () => {
  const world = new World();
  const [, b] = [await world.registry('a'), await world.registry('b')];
  const discovery = await world.connect('http://a:8761#east', 'http://b:8761#west');
  const registration = discovery.registrar.register(instance('one'));
  await registration.announced;
  const caller = watched(discovery, { service: 'orders' });
  await settle();
  await b.stop();
  await Promise.all([registration.setStatus('draining'), world.clock.advance(2_000)]);
  await settle();
  assert.deepEqual(
    caller.last()?.instances.map(({ status }) => status),
    ['draining'],
  );
  await Promise.all([registration.deregister(), world.clock.advance(2_000)]);
  await settle();
  assert.equal(caller.ids(), '');
  await world.end();
});

test('ours and a Eureka server together: what each knows is found, with all that it says', async () => {
  const world = new World();
  const [ours, eureka] = [await world.registry('ours'), await world.registry('old')];
  const discovery = await world.connect('http://ours:8761', 'eureka+http://old:8761/eureka');
  await discovery.registrar.register(instance('both')).announced;
  assert.deepEqual([ours.registry.size, eureka.registry.size], [1, 1]);
  const java = await world.connect('eureka+http://old:8761');
  await java.registrar.register(instance('old')).announced;
  const caller = watched(discovery, { contract: 'orders' });
  await until(() => caller.ids() === 'both,old');
  const { zone, weight, contracts, metadata } = caller.last()?.instances.find(({ id }) => id === 'old') ?? {};
  assert.deepEqual(
    { zone, weight, contracts, metadata },
    {
      zone: 'a',
      weight: 2,
      contracts: [{ name: 'orders', version: 1, hash: 'abc' }],
      metadata: { colour: 'blue' },
    },
  );
  await world.end();
});

test('a scheme that nothing speaks is refused, with those that are known', async () => {
  const world = new World();
  await assert.rejects(
    world.connect('gopher://a:70'),
    (error) =>
      error instanceof FlotillaError && error.code === 'CONFIG_INVALID' && /"eureka\+http:"/.test(error.message),
  );
});

test('a kind whose package is not installed is refused, with what to install', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  const kind = { name: 'x', schemes: ['x+http'], package: '@flotilla/x' };
  await assert.rejects(
    loadKind({ ...kind, load: () => Promise.reject(missing) }),
    /registry "x\+http:…" needs the package @flotilla\/x: npm install @flotilla\/x/,
  );
  const broken = new Error('it is there, and does not work');
  await assert.rejects(loadKind({ ...kind, load: () => Promise.reject(broken) }), broken);
});

test('in several registries an instance is noticed when all of them say so', async () => {
  const registration = (noticed?: boolean): Registration => ({
    ...unheard,
    ...(noticed === undefined ? undefined : { noticed: async () => noticed }),
  });
  const registry = (noticed?: boolean): Discovery => ({
    registrar: { register: () => registration(noticed) },
    resolver: { watch: () => ({ close() {} }) },
    close: async () => {},
  });
  const all = (...each: (boolean | undefined)[]): Promise<boolean> | undefined =>
    severalRegistries(each.map(registry), nullLogger).registrar.register(instance('one')).noticed?.(5_000);
  assert.deepEqual(await Promise.all([all(true, true), all(true, false), all(true, undefined)]), [true, false, false]);
});

test('a cold start while one of two registries is down keeps from the disk whom only that one knew', async () => {
  const world = new World();
  await world.registry('a');
  const discovery = await world.connect('http://a:8761#east', 'eureka+http://b:8761');
  await (await world.connect('http://a:8761')).registrar.register(instance('east')).announced;
  const cluster = createCluster<undefined, undefined>({
    target: { service: 'orders' },
    resolver: discovery.resolver,
    protocols: ['http'],
    connect: () => ({ status: 'open', load: 0, handle: async () => undefined, close: async () => {} }),
    cache: {
      load: async () => ({ instances: [instance('east'), instance('west')], savedAt: 0 }),
      save: async () => {},
    },
    clock: world.clock,
    random: seededRandom(4),
  });
  cluster.start();
  await settle();
  const ids = (): string[] => cluster.instances().map(({ id }) => id);
  assert.deepEqual(ids().sort(), ['east', 'west']);
  await world.clock.advance(300_000);
  assert.deepEqual(ids().sort(), ['east', 'west']);
  const { registry } = await world.registry('b');
  registry.register(instance('new'));
  await world.clock.advance(60_000);
  await until(() => ids().sort().join() === 'east,new');
  await cluster.close();
  await world.end();
});
