import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, createServer, request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@flotilla/core';
import { settle, until } from '@flotilla/core/testing';
import { type HttpHandler, HttpHeaders, type HttpResponse } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { createRegistry } from '../server/registry.ts';
import { registryHandler } from '../server/routes.ts';
import { anInstance } from '../testing/instances.ts';
import { World } from '../testing/world.ts';
import { registryClient } from './registry-client.ts';

const orders = { service: 'orders' };
const lasting = (parts: Parameters<typeof anInstance>[0] = {}) => {
  const { lease: _, ...instance } = anInstance(parts);
  return instance;
};

/** What a proxy makes of a stream of events. */
const faults = {
  /** Its head comes, and nothing after it until it ends, which it never does. */
  'holds all back': (response: HttpResponse, ended: Promise<void>) => ({ ...response, body: nothing(ended) }),
  /** What fills its buffer is let through, and nothing after it. */
  'lets the beginning through': (response: HttpResponse, ended: Promise<void>) => ({
    ...response,
    body: beginning(response.body as AsyncIterable<Uint8Array>, ended),
  }),
  'answers with a page': () => ({
    status: 200,
    headers: new HttpHeaders([['content-type', 'text/html']]),
    body: Buffer.from('<p>sign in</p>'),
  }),
} as const;

async function* nothing(ended: Promise<void>): AsyncGenerator<Uint8Array> {
  yield* await ended.then(() => []);
}

async function* beginning(body: AsyncIterable<Uint8Array>, ended: Promise<void>): AsyncGenerator<Uint8Array> {
  let pieces = 0;
  for await (const piece of body) {
    yield piece;
    if (++pieces === 2) break; // the comment and the snapshot
  }
  await ended;
}

/** A registry behind a proxy that has that fault until a test mends it, and what was asked there. */
async function behind(fault: keyof typeof faults) {
  const world = new World();
  const between = { isBroken: true, pushes: 0, polls: 0, lists: 0 };
  const wrap =
    (handler: HttpHandler): HttpHandler =>
    async (request, call) => {
      const isPush = request.path.text === '/v1/watch' && !request.query.includes('wait=');
      if (request.path.text === '/v1/instances') between.lists++;
      else if (isPush) between.pushes++;
      else if (request.path.text === '/v1/watch') between.polls++;
      const response = await handler(request, call);
      if (!isPush || !between.isBroken) return response;
      return faults[fault](response, new Promise((resolve) => call.onCancel(() => resolve())));
    };
  const { registry } = await world.registry('registry', { warmingMs: 0, wrap });
  registry.register(lasting());
  await world.clock.advance(1);
  const modes = (): unknown[] =>
    world.lines.filter(({ message }) => message === 'following the registry').map(({ fields }) => fields['mode']);
  return { world, registry, between, modes };
}

for (const [fault, knownAfterMs] of [
  ['holds all back', 2_000],
  ['lets the beginning through', 45_000],
  ['answers with a page', 0],
] as const) {
  test(`through a proxy that ${fault} changes come by long poll at once, and push is gone back to`, async () => {
    const { world, registry, between, modes } = await behind(fault);
    const { ids } = world.watch(world.client(), orders);
    await world.clock.advance(knownAfterMs);
    await settle();
    assert.deepEqual(ids(), ['a']);
    registry.register(lasting({ id: 'b' }));
    await settle();
    assert.deepEqual(ids(), ['a', 'b'], 'without any time passing');
    registry.deregister({ service: 'orders', id: 'a' });
    await settle();
    assert.deepEqual(ids(), ['b']);

    between.isBroken = false;
    await world.clock.advance(60_000); // push is tried again when the poll that waits is over
    const { polls } = between;
    registry.register(lasting({ id: 'c' }));
    await settle();
    assert.deepEqual([ids(), modes().at(-1)], [['b', 'c'], 'push']);
    await world.clock.advance(600_000);
    assert.equal(between.polls, polls, 'none while push works');
    assert.equal(between.lists, 0);
    await world.end();
  });
}

test('while push does not come through, a poll waits 20 s, and push is tried less and less', async () => {
  const { world, between, modes } = await behind('holds all back');
  world.watch(world.client(), orders);
  await world.clock.advance(3_600_000);
  assert.ok(between.polls > 150 && between.polls < 220, `${between.polls} polls in an hour`);
  assert.ok(between.pushes > 6 && between.pushes < 14, `${between.pushes} pushes in an hour`);
  assert.equal(between.lists, 0);
  assert.deepEqual(modes(), ['long-poll']);
  assert.deepEqual(world.messages('warn'), [], 'the registry is reached all the time');
  await world.end();
});

test('while push is on trial again, what happens meanwhile is known after 20 s', async () => {
  const { world, registry, between } = await behind('lets the beginning through');
  const { ids } = world.watch(world.client(), orders);
  await world.clock.advance(45_000);
  assert.equal(between.pushes, 1);
  for (let waitedMs = 0; between.pushes === 1 && waitedMs < 60_000; waitedMs += 1_000) await world.clock.advance(1_000);
  assert.equal(between.pushes, 2);
  await world.clock.advance(18_000); // its first sign of life comes through, and nothing after it
  registry.register(lasting({ id: 'b' }));
  await world.clock.advance(20_000);
  assert.deepEqual(ids(), ['a', 'b']);
  await world.end();
});

test('a caller that polls acknowledges: who leaves learns that it knows', async () => {
  const { world, registry } = await behind('answers with a page');
  world.watch(world.client(), orders);
  await world.clock.advance(30_000); // callers of an earlier start would be back by now
  const registration = world.client().registrar.register(anInstance({ id: 'b' }));
  await registration.announced;
  await registration.setStatus('draining');
  const before = world.clock.now();
  assert.equal(await registration.noticed?.(5_000), true);
  assert.equal(world.clock.now(), before);
  assert.equal(registry.audience.size, 1, 'one watch, over all its polls');
  await world.end();
});

test('a client that is closed while a poll waits leaves, and asks for nothing any more', async () => {
  const { world, registry, between } = await behind('answers with a page');
  const client = world.client();
  world.watch(client, orders);
  await world.clock.advance(61_000); // the watch that the page kept from us is not waited for any more
  assert.equal(registry.audience.size, 1);
  await client.close();
  await settle();
  assert.equal(registry.audience.size, 0);
  const { polls, pushes } = between;
  await world.clock.advance(600_000);
  assert.deepEqual([between.polls, between.pushes], [polls, pushes]);
  await world.end();
});

test('a process that moves to another registry polls there at once', async () => {
  const { world } = await behind('answers with a page');
  const other = await world.registry('other', { warmingMs: 0 });
  other.registry.register(lasting({ id: 'there' }));
  await world.clock.advance(1);
  const client = world.client(['http://registry:8761', 'http://other:8761']);
  const { ids } = world.watch(client, orders);
  await settle();
  assert.deepEqual(ids(), ['a']);
  world.network.partition('registry:8761');
  await world.clock.advance(1_000);
  assert.deepEqual(ids(), ['there']);
  await world.end();
});

test('over sockets, behind a proxy that sends an answer on when it is whole, changes come by long poll', async () => {
  const [clock, random] = [systemClock, systemRandom];
  const registry = createRegistry({ clock, random, warmingMs: 0 });
  await registry.start();
  const network = nodeNetwork({ clock, random });
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, registryHandler(registry, {}));
  const asked: string[] = [];
  const upstreams = new Set<ClientRequest>();
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { method, url: path, headers } = request;
    const upstream = httpRequest({ host: '127.0.0.1', port: listener.port, method, path, headers }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', () => response.destroy());
      answer.on('end', () => {
        response.writeHead(answer.statusCode ?? 502, {
          'content-type': answer.headers['content-type'] ?? 'text/plain',
        });
        response.end(Buffer.concat(pieces));
      });
    });
    upstreams.add(upstream);
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.on('data', (piece: Buffer) => upstream.write(piece));
    request.on('end', () => upstream.end());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as { port: number };
  const client = registryClient({ urls: [`http://127.0.0.1:${port}`], network, clock, random, requestTimeoutMs: 500 });
  let ids: readonly string[] = [];
  client.resolver.watch(orders, ({ instances }) => {
    ids = instances.map(({ id }) => id).sort();
  });
  try {
    const registration = client.registrar.register(anInstance({ id: 'a' }));
    await until('a is seen', () => ids.join() === 'a');
    registry.register(anInstance({ id: 'b' }));
    await until('b is seen', () => ids.join() === 'a,b');
    await registration.deregister();
    await until('a is seen to be gone', () => ids.join() === 'b');
    assert.equal(asked.filter((path) => path.startsWith('/v1/instances')).length, 0, 'no list is fetched');
    assert.ok(asked.some((path) => path.includes('wait=20000')));
  } finally {
    await client.close();
    for (const upstream of upstreams) upstream.destroy();
    proxy.closeAllConnections();
    proxy.close();
    await Promise.all([registry.stop('test'), listener.drain(1_000)]);
  }
});
