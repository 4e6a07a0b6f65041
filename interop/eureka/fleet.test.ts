import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type OurFleet, startFleet, startHello } from './fleet.ts';
import { done, type EurekaClient, theirClient } from './their-client.ts';

const routes = `
routes:
  - { id: books, path: '/books/{*rest}', to: 'service://books', auth: public, filters: [{ stripPrefix: 1 }] }
  - { id: greetings, path: '/greetings/{name}', to: 'service://hello', auth: public }
`;

/** A plain service that knows nothing of us, on a free port. */
async function plainService(): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => response.end(JSON.stringify({ method: request.method, url: request.url, body })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

function clientOf(
  fleet: OurFleet,
  name: string,
  port: number,
  { shouldUseDelta = false, sent = { heartbeats: 0 } } = {},
): EurekaClient {
  return theirClient({
    shouldUseDelta,
    requestMiddleware: (request: { method?: string }, proceed: (request: unknown) => void) => {
      if (request.method === 'PUT') sent.heartbeats++;
      proceed(request);
    },
    instance: {
      app: name,
      instanceId: `${name}:${port}`,
      hostName: '127.0.0.1',
      port: { $: port, '@enabled': 'true' },
      vipAddress: name,
    },
    eureka: { port: fleet.port },
  });
}

test('a service that eureka-js-client registers is served through our gateway, from its first heartbeat to its farewell', async () => {
  const fleet = await startFleet(routes);
  const { server, port } = await plainService();
  const sent = { heartbeats: 0 };
  const books = clientOf(fleet, 'books', port, { sent });
  let answered = 0;
  books.on('heartbeat', () => answered++);
  try {
    await done((callback) => books.start(callback));

    const answer = await fetch(`${fleet.door}/books/7/pages?from=3`, { method: 'POST', body: 'a note' });
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { method: 'POST', url: '/7/pages?from=3', body: 'a note' });

    const expiresAt = (): number => fleet.registry.find('books', `books:${port}`)?.expiresAt ?? Number.NaN;
    const before = expiresAt();
    // Those on their way may have been heard before; a later one prolongs the lease.
    while (expiresAt() <= before) await once(books, 'heartbeat');
    assert.ok(expiresAt() > before);
    assert.equal((await fetch(`${fleet.door}/books/8`)).status, 200);

    // No heartbeat may be on its way: one after the farewell gets a 404, and theirs then registers again.
    clearInterval(books.heartbeat);
    await new Promise((resolve) => setImmediate(resolve));
    while (answered < sent.heartbeats) await once(books, 'heartbeat');
    await done((callback) => books.stop(callback));
    await fleet.doorKnows('books', 0);
    assert.equal((await fetch(`${fleet.door}/books/7`)).status, 503);
  } finally {
    await done((callback) => books.stop(() => callback()));
    server.close();
    await fleet.stop();
  }
});

for (const shouldUseDelta of [false, true]) {
  test(`eureka-js-client ${shouldUseDelta ? 'follows our services by delta' : 'reads our services'}: they come, are taken out, put in, leave`, async () => {
    const fleet = await startFleet(routes);
    const reader = clientOf(fleet, 'reader', 4_000, { shouldUseDelta });
    const fetches: string[] = [];
    let hello: Awaited<ReturnType<typeof startHello>> | undefined;
    const found = async (): Promise<string[]> => {
      await done((callback) => reader.fetchRegistry(callback));
      return reader.getInstancesByVipAddress('hello').map(({ status }) => status);
    };
    try {
      Object.assign(reader, { eurekaRequest: recording(reader, fetches) });
      await done((callback) => reader.start(callback)); // its first fetch is of everything
      assert.deepEqual(await found(), []);

      hello = await startHello(fleet.port);
      await fleet.changed((words) => words === 'instance registered hello up');
      assert.deepEqual(await found(), ['UP']);
      const [known] = reader.getInstancesByAppId('hello');
      const greeting = await fetch(`http://${known?.hostName}:${known?.port.$}/greetings/Ada`);
      assert.deepEqual(await greeting.json(), { text: 'Hello, Ada!' });
      assert.equal((await fetch(`${fleet.door}/greetings/Ada`)).status, 200, 'and through the door');

      const key = { service: 'hello', id: known?.instanceId ?? '' };
      fleet.registry.setOverride(key, 'out-of-service');
      // Read whole, theirs leaves out who is not UP; a delta it takes as it is.
      assert.deepEqual(await found(), shouldUseDelta ? ['OUT_OF_SERVICE'] : []);
      fleet.registry.setOverride(key, undefined);
      assert.deepEqual(await found(), ['UP']);

      assert.equal(await hello.leave(), 0);
      assert.deepEqual(await found(), []);
      assert.equal(reader.getInstancesByVipAddress('reader').length, 1, 'only the one that left is gone');
      const [first, ...later] = fetches;
      assert.equal(first, '');
      assert.deepEqual([...new Set(later)], [shouldUseDelta ? 'delta' : '']);
    } finally {
      await hello?.leave();
      await done((callback) => reader.stop(() => callback()));
      await fleet.stop();
    }
  });
}

test('a service of ours that comes again on its port is not lost to who follows by delta', async () => {
  const fleet = await startFleet(routes);
  const reader = clientOf(fleet, 'reader', 4_000, { shouldUseDelta: true });
  try {
    await done((callback) => reader.start(callback));
    const instance = (id: string) => ({
      ...(fleet.registry.find('reader', 'reader:4000')?.instance ?? assert.fail()),
      id,
      identity: { namespace: 'default', group: 'default', service: 'orders', version: '' },
    });
    fleet.registry.register(instance('process-1'));
    await done((callback) => reader.fetchRegistry(callback));
    fleet.registry.register(instance('process-2'));
    fleet.registry.deregister({ service: 'orders', id: 'process-1' });
    for (const _ of [1, 2]) {
      await done((callback) => reader.fetchRegistry(callback));
      assert.deepEqual(
        reader.getInstancesByVipAddress('orders').map(({ instanceId }) => instanceId),
        ['process-2'],
      );
    }
  } finally {
    await done((callback) => reader.stop(() => callback()));
    await fleet.stop();
  }
});

/** Notes what is fetched: the path behind the service path. */
function recording(client: EurekaClient, fetches: string[]): unknown {
  const { eurekaRequest } = client as unknown as {
    eurekaRequest: (options: { method?: string; uri: string }) => unknown;
  };
  return (options: { method?: string; uri: string }, ...rest: []) => {
    if (options.method === undefined) fetches.push(options.uri);
    return eurekaRequest.call(client, options, ...rest);
  };
}
