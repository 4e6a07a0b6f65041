import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { webSocketAccept } from '@flotilla/http';
import { nodeEngine } from './engines.ts';
import { until, World } from './support.ts';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const fields = `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`;
const asking = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const get = (more: string): string => `GET /chat HTTP/1.1\r\nHost: shop.example\r\n${more}\r\n`;
const good = get(asking + fields);
const smuggled = 'GET /admin HTTP/1.1\r\nHost: shop.example\r\n\r\n';
const accept = `Sec-WebSocket-Accept: ${webSocketAccept(key)}\r\n`;
const switching = `HTTP/1.1 101 Switching Protocols\r\n${asking}`;
const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain';

/** An upstream that keeps what it got and answers each connection with the given bytes. */
class RawUpstream {
  readonly got: string[] = [];
  readonly sockets: Socket[] = [];
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  readonly #answer: string;

  constructor(answer: string) {
    this.#answer = answer;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }

  #accept(socket: Socket): void {
    const index = this.got.push('') - 1;
    this.sockets.push(socket);
    socket.on('error', () => {}).setEncoding('latin1');
    socket.on('data', (text) => {
      const before = this.got[index] ?? '';
      this.got[index] = before + text;
      if (!before.includes('\r\n\r\n') && (before + text).includes('\r\n\r\n')) socket.write(this.#answer);
    });
  }
}

async function rawWorld(answer: string): Promise<{ world: World; upstream: RawUpstream }> {
  const world = new World(nodeEngine());
  const upstream = new RawUpstream(answer);
  await world.open({ id: 'chat', path: '/**', to: await upstream.listen(), webSocket: true });
  return { world, upstream };
}

/** Sends bytes; reads until what came matches or the gateway closes, then leaves. */
function exchange(port: number, bytes: string, enough: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      received += chunk;
      if (enough.test(received)) socket.destroy();
    });
    socket.on('error', () => {}).on('close', () => resolve(received));
    socket.write(bytes, 'latin1');
  });
}

describe('handshakes on raw sockets', () => {
  const options = { timeout: 10_000 };

  const notAsked: readonly (readonly [name: string, bytes: string, status: number])[] = [
    [
      'h2c',
      get(`Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n`),
      200,
    ],
    ['h2c beside websocket', get(`Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n${fields}`), 200],
    ['h2c in a second field', get(`${asking}Upgrade: h2c\r\n${fields}`), 200],
    ['h2c hidden behind a tab', get(`Connection: Upgrade\r\nUpgrade:\th2c\r\n${fields}`), 200],
    ['the settings of HTTP/2', get(`${asking}${fields}HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n`), 200],
    ['anything else', get('Connection: Upgrade\r\nUpgrade: TLS/1.3\r\n'), 200],
    [
      'websocket by POST',
      `POST /chat HTTP/1.1\r\nHost: shop.example\r\n${asking}${fields}Content-Length: 0\r\n\r\n`,
      200,
    ],
    ['websocket with a body', get(`${asking}${fields}Content-Length: 4\r\n`).concat('body'), 200],
    ['websocket without connection', get(`Upgrade: websocket\r\n${fields}`), 200],
    ['another version', get(`${asking}Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: ${key}\r\n`), 426],
    ['a key that is none', get(`${asking}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n`), 400],
    [
      'a key that connection names',
      get(`Connection: Upgrade, Sec-WebSocket-Key\r\nUpgrade: websocket\r\n${fields}`),
      400,
    ],
  ];
  for (const [name, bytes, status] of notAsked) {
    it(`${name}: no upgrade reaches the upstream, whatever it would say`, options, async () => {
      const { world, upstream } = await rawWorld(plain);
      const received = await exchange(world.port, bytes, /plain$|"code"/);
      assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `));
      for (const got of upstream.got) assert.doesNotMatch(got, /^(?:upgrade|http2-settings|connection: upgrade)/im);
      await world.close();
      upstream.close();
    });
  }

  it('behind a handshake that is declined nothing is read as a request', options, async () => {
    const { world, upstream } = await rawWorld(plain);
    const received = await exchange(world.port, good + smuggled, /never/);
    assert.equal(received.match(/HTTP\/1\.1 \d/g)?.length, 1, 'one answer, then the end');
    assert.match(received, /connection: close/i);
    assert.equal(upstream.got.join('').includes('/admin'), false);
    await world.close();
    upstream.close();
  });

  const notAgreed: readonly (readonly [name: string, answer: string])[] = [
    ['without an accept', `${switching}\r\n`],
    [
      'with the accept of another key',
      `${switching}Sec-WebSocket-Accept: ${webSocketAccept('AAAAAAAAAAAAAAAAAAAAAA==')}\r\n\r\n`,
    ],
    ['to h2c', `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n${accept}\r\n`],
    ['with a protocol that was not offered', `${switching}${accept}Sec-WebSocket-Protocol: admin\r\n\r\n`],
    ['with an extension that was not offered', `${switching}${accept}Sec-WebSocket-Extensions: x-own\r\n\r\n`],
  ];
  for (const [name, answer] of notAgreed) {
    it(`an upstream that switches ${name} is a 502, and its connection ends`, options, async () => {
      const { world, upstream } = await rawWorld(answer);
      const received = await exchange(world.port, good, /"code"/);
      assert.match(received, /^HTTP\/1\.1 502 [\s\S]*BAD_RESPONSE/);
      await until(
        () => upstream.sockets.every(({ readableEnded, destroyed }) => readableEnded || destroyed),
        'its connection is open',
      );
      await world.close();
      upstream.close();
    });
  }

  it('an upstream that switches unasked is a 502', options, async () => {
    const { world, upstream } = await rawWorld(`${switching}${accept}\r\n`);
    assert.match(await exchange(world.port, get(''), /"code"/), /^HTTP\/1\.1 502 /);
    await world.close();
    upstream.close();
  });

  it('bytes in the packet of the handshake are lost in neither direction', options, async () => {
    const { world, upstream } = await rawWorld(`${switching}${accept}\r\nat once`);
    const received = await exchange(world.port, `${good}first bytes\r\n\r\n`, /at once/);
    assert.match(received, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.equal(received.split('\r\n\r\n')[1], 'at once');
    await until(
      () => upstream.got[0]?.endsWith('first bytes\r\n\r\n') === true,
      'what the client sent first is missing',
    );
    upstream.close();
    await world.close();
  });

  it('each direction closes by itself', options, async () => {
    const { world, upstream } = await rawWorld(`${switching}${accept}\r\n`);
    const client = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    client.setEncoding('latin1').on('data', (text) => {
      received += text;
    });
    client.write(good);
    await until(() => received.includes('101'), 'no answer');
    client.end('last words of the client');
    const [socket] = upstream.sockets;
    await until(() => socket?.readableEnded === true, 'the upstream did not see the end');
    assert.match(upstream.got[0] ?? '', /last words of the client$/);
    socket?.end('last words of the upstream');
    await until(() => client.destroyed, 'the client did not see the end');
    assert.match(received, /last words of the upstream$/);
    await world.close();
    upstream.close();
  });
});
