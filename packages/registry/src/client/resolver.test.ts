import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '@flotilla/core/testing';
import { type HttpHandler, HttpHeaders } from '@flotilla/http';
import { memoryStore } from '../engines/memory-store.ts';
import { anInstance } from '../testing/instances.ts';
import { World } from '../testing/world.ts';

const orders = { service: 'orders' };
/** Stays without renewing: these tests are about watching. */
const lasting = (parts: Parameters<typeof anInstance>[0] = {}) => {
  const { lease: _, ...instance } = anInstance(parts);
  return instance;
};
const calm = { warmingMs: 0 };

test('a watch is told the whole set, and again after each change, within the same instant', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', calm);
  registry.register(lasting());
  await world.clock.advance(1);
  const { sets, ids } = world.watch(world.client(), orders);
  await settle();
  assert.deepEqual(ids(), ['a']);
  registry.register(lasting({ id: 'b' }));
  registry.register(lasting({ id: 'x', service: 'users' }));
  await settle();
  assert.deepEqual(ids(), ['a', 'b']);
  registry.setStatus({ service: 'orders', id: 'a' }, 'draining');
  await settle();
  assert.equal(sets.at(-1)?.instances.find(({ id }) => id === 'a')?.status, 'draining');
  registry.deregister({ service: 'orders', id: 'a' });
  registry.deregister({ service: 'orders', id: 'b' });
  await settle();
  assert.deepEqual(ids(), [], 'pushed one by one, also the last one is believed');
  await world.end();
});

test('two watches of one target share a connection; a late one is told at once; a closed one nothing more', async () => {
  const world = new World();
  let watches = 0;
  const wrap =
    (handler: HttpHandler): HttpHandler =>
    (request, call) => {
      if (request.path.text === '/v1/watch') watches++;
      return handler(request, call);
    };
  const { registry } = await world.registry('registry', { ...calm, wrap });
  registry.register(lasting());
  await world.clock.advance(1);
  const client = world.client();
  const first = world.watch(client, orders);
  await settle();
  const second = world.watch(client, orders);
  await settle();
  assert.deepEqual([first.ids(), second.ids(), watches], [['a'], ['a'], 1]);
  first.close();
  registry.register(lasting({ id: 'b' }));
  await settle();
  assert.deepEqual([first.ids(), second.ids()], [['a'], ['a', 'b']]);
  second.close();
  await settle();
  registry.register(lasting({ id: 'c' }));
  await settle();
  assert.deepEqual(second.ids(), ['a', 'b']);
  await world.end();
});

test('a listener that throws harms nobody else', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', calm);
  registry.register(lasting());
  const client = world.client();
  client.resolver.watch(orders, () => {
    throw new Error('mine');
  });
  const { ids } = world.watch(client, orders);
  await settle();
  assert.deepEqual(ids(), ['a']);
  assert.ok(world.messages('error').includes('a listener for instances failed'));
  await world.end();
});

test('while the registry is gone for hours the last set stays, nobody is told anything, one warning is written', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', calm);
  registry.register(lasting());
  await world.clock.advance(1);
  const { sets, ids } = world.watch(world.client(), orders);
  await settle();
  const told = sets.length;
  world.network.partition('registry:8761', 'silent');
  await world.clock.advance(6 * 3_600_000);
  assert.deepEqual(ids(), ['a']);
  assert.equal(sets.length, told);
  assert.equal(world.messages('warn').length, 1);
  world.network.heal('registry:8761');
  registry.register(lasting({ id: 'b' }));
  await world.clock.advance(31_000);
  assert.deepEqual(ids(), ['a', 'b']);
  await world.end();
});

test('a registry that is not there yet is no error; the set comes when it does', async () => {
  const world = new World();
  const { sets, ids } = world.watch(world.client(), orders);
  await world.clock.advance(120_000);
  assert.equal(sets.length, 0);
  const { registry } = await world.registry('registry', calm);
  registry.register(lasting());
  await world.clock.advance(31_000);
  assert.deepEqual(ids(), ['a']);
  await world.end();
});

test('a restart that kept the state is a snapshot of a new epoch, and nobody is missed', async () => {
  const world = new World();
  const store = memoryStore();
  const first = await world.registry('registry', { ...calm, store });
  first.registry.register(lasting());
  await world.clock.advance(1);
  const { sets, ids } = world.watch(world.client(), orders);
  await settle();
  await first.stop();
  const second = await world.registry('registry', { ...calm, store });
  second.registry.register(lasting({ id: 'b' }));
  await world.clock.advance(31_000);
  assert.deepEqual(ids(), ['a', 'b']);
  assert.ok(sets.every(({ instances }) => instances.length > 0));
  await world.end();
});

test('a restart that lost the state says that it warms up: callers only gain, until it is complete', async () => {
  const world = new World();
  const first = await world.registry('registry', calm);
  for (const id of ['a', 'b']) first.registry.register(lasting({ id }));
  await world.clock.advance(1);
  const { sets, ids } = world.watch(world.client(), orders);
  await settle();
  await first.stop();
  const second = await world.registry('registry');
  second.registry.register(lasting({ id: 'c' }));
  await world.clock.advance(31_000);
  assert.deepEqual([ids(), sets.at(-1)?.warming], [['a', 'b', 'c'], true]);
  second.registry.register(lasting({ id: 'a' }));
  await world.clock.advance(60_000);
  assert.deepEqual([ids(), sets.at(-1)?.warming], [['a', 'c'], false], 'b did not come back');
  await world.end();
});

test('a registry that knows of nobody is believed at its second word', async () => {
  const world = new World();
  const first = await world.registry('registry', calm);
  first.registry.register(lasting());
  await world.clock.advance(1);
  const { ids } = world.watch(world.client(), orders);
  await settle();
  await first.stop();
  const answers: number[] = [];
  await world.registry('registry', {
    ...calm,
    wrap: (handler) => (request, call) => {
      answers.push(world.clock.now());
      return handler(request, call);
    },
  });
  await world.clock.advance(1);
  for (let waited = 0; answers.length === 0 && waited < 31_000; waited += 10) await world.clock.advance(10);
  assert.deepEqual(ids(), ['a'], 'after the first word');
  await world.clock.advance(1_250);
  assert.deepEqual(ids(), [], 'after the second');
  await world.end();
});

test('with two registries the other one is followed when the first one goes', async () => {
  const world = new World();
  const one = await world.registry('one', calm);
  const two = await world.registry('two', calm);
  one.registry.register(lasting({ id: 'at-one' }));
  two.registry.register(lasting({ id: 'at-two' }));
  await world.clock.advance(1);
  const { ids } = world.watch(world.client(['http://one:8761', 'http://two:8761']), orders);
  await settle();
  assert.deepEqual(ids(), ['at-one']);
  world.network.partition('one:8761');
  await world.clock.advance(1_000);
  assert.deepEqual(ids(), ['at-two']);
  await world.end();
});

/** How the client said that it follows the registry, in order. */
function modesOf({ lines }: World): unknown[] {
  return lines.filter(({ message }) => message === 'following the registry').map(({ fields }) => fields['mode']);
}

/** A proxy before the registry that a test tells what to do with pushes. */
function proxy(): {
  wrap: (handler: HttpHandler) => HttpHandler;
  push: 'through' | 'missing' | 'cut' | 'mute';
  polls: number;
} {
  const state: ReturnType<typeof proxy> = {
    push: 'through',
    polls: 0,
    wrap: (handler) => async (request, call) => {
      if (request.path.text === '/v1/instances') state.polls++;
      if (request.path.text !== '/v1/watch' || state.push === 'through') return handler(request, call);
      if (state.push === 'missing') return { status: 404, headers: new HttpHeaders(), body: undefined };
      const body = async function* (): AsyncGenerator<Uint8Array> {
        if (state.push === 'mute') await new Promise<void>((resolve) => call.onCancel(() => resolve()));
      };
      return { status: 200, headers: new HttpHeaders([['content-type', 'text/event-stream']]), body: body() };
    },
  };
  return state;
}

for (const fault of ['missing', 'cut', 'mute'] as const) {
  test(`when push is ${fault} lists are fetched, and push is gone back to when it works`, async () => {
    const world = new World();
    const between = proxy();
    between.push = fault;
    const { registry } = await world.registry('registry', { ...calm, wrap: between.wrap });
    registry.register(lasting());
    await world.clock.advance(1);
    const { ids } = world.watch(world.client(), orders);
    await world.clock.advance(fault === 'mute' ? 10_000 : 1_000);
    registry.register(lasting({ id: 'b' }));
    await world.clock.advance(fault === 'mute' ? 50_000 : 37_000);
    assert.deepEqual(ids(), ['a', 'b']);
    assert.ok(between.polls >= 1);

    between.push = 'through';
    await world.clock.advance(fault === 'mute' ? 50_000 : 37_000);
    const { polls } = between;
    registry.register(lasting({ id: 'c' }));
    await settle();
    assert.deepEqual(ids(), ['a', 'b', 'c'], 'pushed again');
    await world.clock.advance(300_000);
    assert.equal(between.polls, polls, 'no list is fetched while push works');
    assert.deepEqual(modesOf(world), ['polling', 'push']);
    await world.end();
  });
}

test('push, then polling, then push again', async () => {
  const world = new World();
  const between = proxy();
  const { registry, stop } = await world.registry('registry', { ...calm, wrap: between.wrap, store: memoryStore() });
  registry.register(lasting());
  await world.clock.advance(1);
  const { ids } = world.watch(world.client(), orders);
  await settle();
  between.push = 'missing';
  world.network.partition('registry:8761');
  world.network.heal('registry:8761');
  await world.clock.advance(1_000);
  registry.register(lasting({ id: 'b' }));
  await world.clock.advance(37_000);
  assert.deepEqual(ids(), ['a', 'b']);
  between.push = 'through';
  await world.clock.advance(37_000);
  registry.register(lasting({ id: 'c' }));
  await settle();
  assert.deepEqual(ids(), ['a', 'b', 'c']);
  assert.deepEqual(modesOf(world), ['push', 'polling', 'push']);
  await stop();
  await world.end();
});

test('a push that is cut after each answer is tried ever more slowly', async () => {
  const world = new World();
  let pushes = 0;
  const { registry } = await world.registry('registry', {
    ...calm,
    wrap: (handler) => async (request, call) => {
      const response = await handler(request, call);
      if (request.path.text !== '/v1/watch') return response;
      pushes++;
      const body = async function* (): AsyncGenerator<Uint8Array> {
        let chunks = 0;
        for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
          yield chunk;
          if (++chunks === 2) return;
        }
      };
      return { ...response, body: body() };
    },
  });
  registry.register(lasting());
  await world.clock.advance(1);
  const { ids } = world.watch(world.client(), orders);
  await world.clock.advance(600_000);
  assert.deepEqual(ids(), ['a']);
  assert.ok(pushes < 100, `${pushes} connections in ten minutes`);
  await world.end();
});

test('an instance that cannot be read is left out, the others count', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', {
    ...calm,
    wrap: (handler) => async (request, call) => {
      if (request.path.text === '/v1/watch') return { status: 404, headers: new HttpHeaders(), body: undefined };
      const text = JSON.stringify({ cursor: 'e:1', warming: false, instances: [lasting(), { id: 7 }] });
      return request.path.text === '/v1/instances'
        ? { status: 200, headers: new HttpHeaders(), body: Buffer.from(text) }
        : handler(request, call);
    },
  });
  const { ids } = world.watch(world.client(), orders);
  await settle();
  assert.deepEqual(ids(), ['a']);
  assert.ok(world.messages('warn').some((message) => message.includes('left out')));
  assert.equal(registry.size, 0);
  await world.end();
});

test('whoever serves a contract is found by it', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', calm);
  registry.register(lasting({ contracts: [{ name: 'catalog', version: 1, hash: '' }] }));
  registry.register(lasting({ id: 'b' }));
  await world.clock.advance(1);
  const { ids } = world.watch(world.client(), { contract: 'catalog' });
  await settle();
  assert.deepEqual(ids(), ['a']);
  await world.end();
});

test('a client that was closed tells nobody anything, and leaves nothing running', async () => {
  const world = new World();
  const { registry } = await world.registry('registry', calm);
  const client = world.client();
  const { sets } = world.watch(client, orders);
  client.registrar.register(anInstance());
  await settle();
  const told = sets.length;
  await client.close();
  assert.equal(client.close(), client.close());
  registry.register(lasting({ id: 'b' }));
  await settle();
  assert.equal(sets.length, told);
  assert.equal(world.watch(client, orders).sets.length, 0);
  await world.clock.advance(90_000);
  assert.deepEqual(
    Array.from(registry.list(), ({ instance }) => instance.id),
    ['b'],
    'nobody renews any more',
  );
  await world.end();
});
