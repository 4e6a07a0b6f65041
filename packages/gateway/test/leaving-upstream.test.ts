import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HttpHeaders } from '@flotilla/http';
import { nodeEngine } from './engines.ts';
import { instanceAt, World } from './support.ts';

/** How a Java server ends a kept connection when the next request comes on it. */
type Refusal = 'an empty 503' | 'a chunked 503' | 'its end' | 'a reset';

/** As Tomcat behaves that shuts down gracefully: what it had accepted stays open, and each request there is refused unread. */
class GracefulServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #leaving = false;
  #answers = 0;
  refused = 0;
  readonly #refusal: Refusal;

  private constructor(refusal: Refusal) {
    this.#refusal = refusal;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(refusal: Refusal): Promise<GracefulServer> {
    const server = new GracefulServer(refusal);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  get answers(): number {
    return this.#answers;
  }

  /** No new connection, and no new request on those that are there. */
  leave(): void {
    this.#leaving = true;
    this.#server.close();
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (bytes) => {
      for (const _ of String(bytes).matchAll(/HTTP\/1\.1\r\n/g)) this.#answer(socket);
    });
  }

  #answer(socket: Socket): void {
    if (this.#leaving) {
      this.refused++;
      if (this.#refusal === 'a reset') socket.resetAndDestroy();
      else socket.end(words[this.#refusal]);
      return;
    }
    this.#answers++;
    socket.write('HTTP/1.1 200 \r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok');
  }
}

const words = {
  'an empty 503': 'HTTP/1.1 503 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  'a chunked 503': 'HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
  'its end': '',
} as const;

/** A gateway before two such servers, with a kept connection to each. */
async function rolling(t: TestContext, refusal: Refusal) {
  const [first, second] = [await GracefulServer.start(refusal), await GracefulServer.start(refusal)];
  t.after(() => {
    first.stop();
    second.stop();
  });
  // The default pick may ask the quicker one alone: here both are asked in turns.
  const world = new World(nodeEngine(), { clients: { web: { balance: { pick: 'round-robin' } } } });
  const instances = [instanceAt('first', 'web', first.port), instanceAt('second', 'web', second.port)];
  world.resolver.set({ service: 'web' }, instances);
  await world.open({ id: 'web', path: '/**', to: 'service://web' });
  while (first.answers === 0 || second.answers === 0) assert.equal((await world.ask('GET', '/')).status, 200);
  return { world, first, second };
}

for (const refusal of ['an empty 503', 'a chunked 503', 'its end', 'a reset'] as const) {
  test(`no GET fails while an instance leaves that is still listed, and answers by ${refusal}`, async (t) => {
    const { world, first } = await rolling(t, refusal);
    first.leave();
    for (let request = 0; request < 40; request++) {
      const { status, text } = await world.ask('GET', '/');
      assert.deepEqual([status, text], [200, 'ok']);
    }
    assert.equal(first.refused, 1, 'it ended the one connection that there was');
    await world.close();
  });
}

test('a command that the leaving one refused may have been begun: its answer is passed on', async (t) => {
  const { world, first } = await rolling(t, 'an empty 503');
  first.leave();
  while (first.refused === 0) {
    const before = first.refused;
    const { status } = await world.ask('POST', '/', { body: 'pay' });
    assert.equal(status, first.refused > before ? 503 : 200);
  }
  for (let request = 0; request < 20; request++) {
    assert.equal(
      (await world.ask('POST', '/', { body: 'pay' })).status,
      200,
      'nobody takes the connection: it goes on',
    );
  }
  await world.close();
});

test('when all are leaving, that is the answer', async (t) => {
  const { world, first, second } = await rolling(t, 'an empty 503');
  first.leave();
  second.leave();
  const { status, text } = await world.ask('GET', '/');
  assert.equal(status, 503);
  assert.match(text, /"code":"(?:UNAVAILABLE|CONNECT_FAILED)"/);
  await world.close();
});

test('a 503 with a word of the application, or a time to come back, is passed on as it is', async () => {
  const world = new World(nodeEngine());
  let asked = 0;
  const busy = await world.serve(async () => {
    asked++;
    const headers = new HttpHeaders([['retry-after', '7']]);
    return { status: 503, headers, body: undefined };
  });
  world.resolver.set({ service: 'web' }, [busy.instance('a'), busy.instance('b')]);
  await world.open({ id: 'web', path: '/**', to: 'service://web' });
  const { status, headers } = await world.ask('GET', '/');
  assert.deepEqual([status, headers.get('retry-after'), asked], [503, '7', 1]);
  await world.close();
});
