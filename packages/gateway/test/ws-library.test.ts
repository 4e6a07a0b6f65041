import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { WebSocket as Client, type RawData, WebSocketServer } from 'ws';
import { nodeEngine } from './engines.ts';
import { until, World } from './support.ts';

/** An application with a WebSocket server of its own, behind a gateway. */
async function appBehindGateway(parts: object = {}): Promise<{ world: World; server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    maxPayload: 4_194_304,
    handleProtocols: (protocols) => (protocols.has('news') ? 'news' : false),
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const world = new World(nodeEngine());
  await world.open({ id: 'chat', path: '/**', to: `http://127.0.0.1:${port}`, webSocket: true, ...parts });
  return { world, server, url: `ws://127.0.0.1:${world.port}/chat` };
}

async function over(world: World, server: WebSocketServer): Promise<void> {
  await until(() => world.gateway.inFlight === 0, 'a socket is left');
  for (const socket of server.clients) socket.terminate();
  server.close();
  await world.close();
}

async function opened(url: string, options: object = {}, protocols: string[] = []): Promise<Client> {
  const client = new Client(url, protocols, options);
  await once(client, 'open');
  return client;
}

async function closed(client: Client, code?: number): Promise<{ code: number; reason: string }> {
  const ended = once(client, 'close');
  if (code !== undefined) client.close(code, 'bye');
  const [got, reason] = (await ended) as [number, Buffer];
  return { code: got, reason: reason.toString() };
}

describe('an application that uses the library ws, behind the gateway', () => {
  const options = { timeout: 60_000 };

  it('text, binary, and a megabyte each come back as they went', options, async () => {
    const { world, server, url } = await appBehindGateway();
    server.on('connection', (socket) =>
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    const client = await opened(url);
    const messages: (string | Buffer)[] = [
      'héllo',
      Buffer.from([0, 255, 1]),
      'x'.repeat(1_048_576),
      Buffer.alloc(1_048_576, 7),
    ];
    for (const message of messages) {
      const back = once(client, 'message') as Promise<[RawData, boolean]>;
      client.send(message);
      const [data, isBinary] = await back;
      assert.equal(isBinary, typeof message !== 'string');
      assert.equal(Buffer.compare(data as Buffer, Buffer.from(message)), 0);
    }
    assert.equal((await closed(client, 1_000)).code, 1_000);
    await over(world, server);
  });

  it('a thousand small messages arrive in order, both ways at once', options, async () => {
    const { world, server, url } = await appBehindGateway();
    const atServer: string[] = [];
    const atClient: string[] = [];
    server.on('connection', (socket) => {
      socket.on('message', (data) => atServer.push(String(data)));
      for (let i = 0; i < 1_000; i++) socket.send(`down ${i}`);
    });
    const client = new Client(url);
    client.on('message', (data) => atClient.push(String(data)));
    await once(client, 'open');
    for (let i = 0; i < 1_000; i++) client.send(`up ${i}`);
    await until(() => atServer.length + atClient.length === 2_000, 'messages are missing');
    assert.deepEqual(
      atServer,
      Array.from({ length: 1_000 }, (_, i) => `up ${i}`),
    );
    assert.deepEqual(
      atClient,
      Array.from({ length: 1_000 }, (_, i) => `down ${i}`),
    );
    await closed(client, 1_000);
    await over(world, server);
  });

  it('what a server says with its handshake is not lost, nor what a client says at once', options, async () => {
    const { world, server, url } = await appBehindGateway();
    const heard = Promise.withResolvers<string>();
    server.on('connection', (socket) => {
      socket.send('welcome');
      socket.on('message', (data) => heard.resolve(String(data)));
    });
    const client = new Client(url);
    const first = once(client, 'message');
    client.on('open', () => client.send('hello'));
    assert.equal(String((await first)[0]), 'welcome');
    assert.equal(await heard.promise, 'hello');
    await closed(client, 1_000);
    await over(world, server);
  });

  it('ping, pong, close codes and their reasons go through, from either side', options, async () => {
    const { world, server, url } = await appBehindGateway();
    const seen: (readonly [number, string])[] = [];
    const connected = Promise.withResolvers<Client>();
    server.on('connection', (socket) => {
      socket.on('close', (code, reason) => seen.push([code, String(reason)]));
      connected.resolve(socket);
    });
    const client = await opened(url);
    const pong = once(client, 'pong');
    client.ping('are you there');
    assert.equal(String((await pong)[0]), 'are you there');
    const socket = await connected.promise;
    const ponged = once(socket, 'pong');
    socket.ping('and you');
    assert.equal(String((await ponged)[0]), 'and you');
    assert.equal((await closed(client, 4_000)).code, 4_000);
    await until(() => seen.length === 1, 'the server did not see the close');
    assert.deepEqual(seen, [[4_000, 'bye']]);

    server.removeAllListeners('connection').on('connection', (one) => one.close(1_013, 'try again later'));
    assert.deepEqual(await closed(new Client(url)), { code: 1_013, reason: 'try again later' });
    await over(world, server);
  });

  it('a protocol is agreed upon through the gateway', options, async () => {
    const { world, server, url } = await appBehindGateway();
    const client = await opened(url, {}, ['chat', 'news']);
    assert.equal(client.protocol, 'news');
    await closed(client, 1_000);
    await over(world, server);
  });

  it('a compressed message is what it was', options, async () => {
    const { world, server, url } = await appBehindGateway();
    server.options.perMessageDeflate = true;
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data, { binary: false })));
    const client = await opened(url, { perMessageDeflate: { threshold: 0 } });
    assert.equal(client.extensions, 'permessage-deflate');
    const back = once(client, 'message');
    client.send('again and again and again '.repeat(1_000));
    assert.equal(String((await back)[0]).length, 26_000);
    await closed(client, 1_000);
    await over(world, server);
  });

  it('an upstream that is killed is a close for the client', options, async () => {
    const { world, server, url } = await appBehindGateway();
    const client = await opened(url);
    client.on('error', () => {});
    const ended = closed(client);
    for (const socket of server.clients) socket.terminate();
    assert.equal((await ended).code, 1_006);
    await over(world, server);
  });

  it('a client that is killed is a close for the upstream', options, async () => {
    const { world, server, url } = await appBehindGateway();
    const seen = Promise.withResolvers<number>();
    server.on('connection', (socket) => socket.on('close', (code) => seen.resolve(code)));
    (await opened(url)).terminate();
    assert.equal(await seen.promise, 1_006);
    await over(world, server);
  });

  it(
    'a client that reads nothing stops its server from sending, and nothing piles up in between',
    options,
    async () => {
      const { world, server, url } = await appBehindGateway();
      const chunk = Buffer.alloc(262_144, 1);
      const total = 400; // 100 MB
      let taken = 0;
      server.on('connection', async (socket) => {
        for (let i = 0; i < total; i++) {
          await new Promise<void>((resolve) => socket.send(chunk, () => resolve()));
          taken++;
        }
      });
      const client = await opened(url);
      client.pause();
      let still = 0;
      for (let last = -1; still < 200; still = taken === last ? still + 1 : 0, last = taken)
        await new Promise(setImmediate);
      assert.ok(
        taken < total / 2,
        `${taken} of ${total} chunks were taken from the server for a client that reads nothing`,
      );
      let received = 0;
      client.on('message', (data) => {
        received += (data as Buffer).length;
      });
      client.resume();
      await until(() => received === total * chunk.length, 'the rest did not come');
      await closed(client, 1_000);
      await over(world, server);
    },
  );

  it('a gateway that stops tells both of them 1001', options, async () => {
    const { world, server, url } = await appBehindGateway();
    const seen = Promise.withResolvers<number>();
    server.on('connection', (socket) => socket.on('close', (code) => seen.resolve(code)));
    const ended = closed(await opened(url));
    await world.gateway.drainWebSockets(0);
    assert.deepEqual([(await ended).code, await seen.promise], [1_001, 1_001]);
    await over(world, server);
  });

  it('the refusal of a page of another site is a 403 for its browser', options, async () => {
    const { world, server, url } = await appBehindGateway();
    const client = new Client(url, { origin: 'https://evil.example' });
    const [error] = (await once(client, 'error')) as [Error];
    assert.match(error.message, /Unexpected server response: 403/);
    assert.equal(server.clients.size, 0);
    await over(world, server);
  });

  it('the WebSocket that Node has built in speaks through it too', options, async () => {
    const { world, server, url } = await appBehindGateway();
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(`got ${String(data)}`)));
    const client = new WebSocket(url, ['news']);
    const ended = new Promise<CloseEvent>((resolve) => client.addEventListener('close', resolve, { once: true }));
    await new Promise((resolve) => client.addEventListener('open', resolve, { once: true }));
    const back = new Promise<MessageEvent>((resolve) => client.addEventListener('message', resolve, { once: true }));
    client.send('it');
    assert.equal((await back).data, 'got it');
    client.close(1_000);
    assert.equal((await ended).code, 1_000);
    await over(world, server);
  });
});
