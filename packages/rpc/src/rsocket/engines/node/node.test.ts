import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Call, type FlotillaError, systemClock } from '@flotilla/core';
import { Authority, type Issued, ManualClock, seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, type HttpListener } from '@flotilla/http';
import { type NodeNetworkOptions, nodeNetwork, openTls } from '@flotilla/http/node';
import {
  type ResponderStream,
  RSocketConnection,
  type RSocketPeer,
  type RSocketResponder,
} from '@flotilla/rpc/rsocket';
import { RSocketClient, type RSocketClientOptions, rsocketTongue, type Served } from '@flotilla/rpc/rsocket/node';
import { dial } from './dial.ts';

const clock = systemClock;
const random = seededRandom(7);
const newCall = (): Call => new Call({ clock, random });

const echo: RSocketResponder = { requestResponse: (request, stream) => stream.respond(`${request.dataText()}!`) };

let authority: Authority;
let certificate: Issued;
before(() => {
  authority = new Authority();
  certificate = authority.issue({ name: 'server', names: 'IP:127.0.0.1,DNS:localhost' });
});
after(() => authority.remove());

/** A listener that speaks HTTP and RSocket, on a free port. */
async function served(
  responder: RSocketResponder = echo,
  { tls, ...more }: Partial<Served> & { readonly tls?: NodeNetworkOptions['tls'] } = {},
): Promise<HttpListener> {
  const tongue = rsocketTongue({ clock, serve: () => ({ responder, ...more }) });
  const network = nodeNetwork({ clock, random, tls, tongues: () => [tongue] });
  const bind = { host: '127.0.0.1', port: 0, tls: tls !== undefined };
  return network.listen(bind, async () => ({ status: 200, headers: new HttpHeaders(), body: Buffer.from('http') }));
}

function clientOf(port: number, options: Partial<RSocketClientOptions> = {}): RSocketClient {
  return new RSocketClient({ protocol: 'http', host: '127.0.0.1', port }, { clock, random, ...options });
}

/** What a peer answers. */
function ask(peer: RSocketPeer, data: string | Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer: Buffer = Buffer.alloc(0);
    peer.requestResponse(undefined, data, {
      next(payload) {
        answer = payload.copyData();
      },
      complete: () => resolve(answer),
      error: (code, text) => reject(new Error(`0x${code.toString(16)} ${text}`)),
      failed: reject,
    });
  });
}

test('one port speaks HTTP and RSocket', async () => {
  const listener = await served();
  const client = clientOf(listener.port);
  assert.equal(client.current(), undefined);
  const connection = await client.connect(newCall());
  assert.equal(client.current(), connection);
  assert.equal(String(await ask(connection, 'hello')), 'hello!');
  const response = await fetch(`http://127.0.0.1:${listener.port}/`, { headers: { connection: 'close' } });
  assert.equal(await response.text(), 'http');
  await client.close();
  await listener.drain(2_000);
});

test('TLS: the same port, an authority of the target, and a name that is checked', async () => {
  const tls = await openTls({ cert: certificate.cert, key: certificate.key }, { clock });
  const listener = await served(echo, { tls });
  const target = {
    protocol: 'https',
    host: '127.0.0.1',
    port: listener.port,
    ca: readFileSync(authority.ca, 'utf8'),
  } as const;
  const client = new RSocketClient(target, { clock, random });
  const connection = await client.connect(newCall());
  const big = Buffer.alloc(1_000_000, 'a');
  assert.equal((await ask(connection, big)).length, big.length + 1);
  await client.close();
  const { ca: _, ...untrusted } = target;
  const distrusting = new RSocketClient(untrusted, { clock, random });
  await assert.rejects(distrusting.connect(newCall()), { code: 'CONNECT_FAILED', executed: 'no' });
  const plain = clientOf(listener.port);
  const peer = await plain.connect(newCall());
  await assert.rejects(ask(peer, 'x'), { code: 'CONNECT_FAILED', executed: 'no' });
  await listener.drain(2_000);
  tls.close();
});

test('nobody there: CONNECT_FAILED, not executed, then a pause before the next attempt', async () => {
  const listener = await served();
  const { port } = listener;
  await listener.drain(0);
  const manual = new ManualClock();
  const client = clientOf(port, { clock: manual, pool: { leastBackoffMs: 100 } });
  const call = (): Call => new Call({ clock: manual, random });
  await assert.rejects(client.connect(call()), { code: 'CONNECT_FAILED', executed: 'no' });
  assert.equal(client.status, 'busy');
  const again = await client.connect(call()).catch((error: FlotillaError) => error);
  assert.match(String(again), /the next attempt is in \d+ ms, after 1 failures/);
  assert.ok(((again as FlotillaError).retryAfterMs ?? 0) > 0);
  await manual.advance(150);
  assert.equal(client.status, 'open');
  const third = await client.connect(call()).catch((error: FlotillaError) => error);
  assert.match(String(third), /ECONNREFUSED/);
  assert.equal(client.status, 'busy');
  client.renew();
  assert.equal(client.status, 'open', 'somebody is said to be there now');
  const fourth = await client.connect(call()).catch((error: FlotillaError) => error);
  assert.match(String(fourth), /ECONNREFUSED/);
  const fifth = await client.connect(call()).catch((error: FlotillaError) => error);
  assert.match(String(fifth), /after 1 failures/, 'failures count anew');
  assert.equal(manual.pendingTimers, 0);
  await client.close();
});

test('a port that speaks HTTP alone says so, and nothing was executed', async () => {
  const network = nodeNetwork({ clock, random });
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, () => Promise.reject(new Error('unused')));
  const client = clientOf(listener.port);
  const connection = await client.connect(newCall());
  await assert.rejects(ask(connection, 'x'), (error: FlotillaError) => {
    assert.match(error.message, /CONNECT_FAILED: the peer speaks HTTP and not RSocket/);
    return error.executed === 'no';
  });
  assert.equal(client.status, 'busy', 'it is not asked again at once');
  await client.close();
  await listener.drain(2_000);
});

test('a paused client leaves what comes in the kernel', async () => {
  const listener = await served({ requestStream: (_request, stream) => void tick(stream, 50) });
  const socket = await dial({
    target: { protocol: 'http', host: '127.0.0.1', port: listener.port },
    clock,
    timeoutMs: 1_000,
  });
  let items = 0;
  const connection = RSocketConnection.client({ channel: socket, clock });
  const done = new Promise<void>((resolve, reject) => {
    const next = (): void => {
      items++;
      if (items === 1) socket.pause();
    };
    const error = (_code: number, text: string): void => reject(new Error(text));
    connection.requestStream(undefined, 'x', Infinity, { next, complete: resolve, error, failed: reject });
  });
  while (items === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(items < 50, `${items} items came`);
  socket.resume();
  await done;
  assert.equal(items, 50);
  connection.close();
  await listener.drain(2_000);
});

/** An item in each turn of the event loop. */
function tick(stream: ResponderStream, left: number): void {
  if (left === 0) {
    stream.complete();
    return;
  }
  stream.next('item');
  setImmediate(() => tick(stream, left - 1));
}

test('who takes connections and breaks them off is not tried again at once', async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    socket.on('data', () => socket.resetAndDestroy()).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { readonly port: number };
  const client = clientOf(address.port, { pool: { leastBackoffMs: 60_000 } });
  const connection = await client.connect(newCall());
  await assert.rejects(ask(connection, 'x'), { code: 'CONNECTION_LOST', executed: 'unknown' });
  assert.equal(client.status, 'busy');
  await assert.rejects(client.connect(newCall()), { code: 'CONNECT_FAILED', executed: 'no' });
  assert.equal(accepted, 1);
  await client.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test('a call that is cancelled does not wait for the connection', async () => {
  const listener = await served();
  const client = clientOf(listener.port);
  const call = newCall();
  const waiting = client.connect(call);
  call.cancel();
  await assert.rejects(waiting, { code: 'CANCELLED' });
  await client.connect(newCall()); // the attempt itself went on
  await client.close();
  await listener.drain(2_000);
});

test('after a lost connection the next call opens another one', async () => {
  const listener = await served();
  const client = clientOf(listener.port);
  const first = await client.connect(newCall());
  await ask(first, 'a');
  first.close();
  assert.equal(client.current(), undefined);
  const second = await client.connect(newCall());
  assert.equal(String(await ask(second, 'b')), 'b!');
  await client.close();
  await listener.drain(2_000);
});

test('a crowded connection gets company, up to the limit and for as long as it is needed', async () => {
  let answerAll: (() => void)[] = [];
  const listener = await served({
    requestResponse: (_request, stream) => void answerAll.push(() => stream.respond('late')),
  });
  const manual = new ManualClock();
  const client = clientOf(listener.port, {
    clock: manual,
    pool: { crowdedRequests: 2, maxConnections: 3, extraIdleMs: 1_000 },
  });
  const answers: Promise<Buffer>[] = [];
  await client.connect(newCall());
  for (let n = 0; n < 12; n++) {
    answers.push(ask(client.current() as RSocketPeer, 'x'));
    await new Promise((resolve) => setImmediate(resolve));
    while (client.connections < Math.min(3, 1 + Math.floor((n + 1) / 2))) {
      client.current();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  assert.equal(client.connections, 3);
  assert.equal(client.outstanding, 12);
  while (answerAll.length < 12) await new Promise((resolve) => setImmediate(resolve));
  for (const answer of answerAll) answer();
  answerAll = [];
  await Promise.all(answers);
  for (let seconds = 0; seconds < 3; seconds++) await manual.advance(1_000);
  assert.equal(client.connections, 1, 'company leaves when it is not needed');
  const closed = client.close();
  await manual.advance(0);
  await closed;
  assert.equal(manual.pendingTimers, 0);
  await listener.drain(2_000);
});

test('a drained listener lets calls end, and its client knows that it drains', async () => {
  let answer = (): void => {};
  const listener = await served({
    requestResponse(_request, stream) {
      answer = () => stream.respond('done');
    },
  });
  const drains = Promise.withResolvers<void>();
  const client = clientOf(listener.port, { events: { peerDrains: drains.resolve } });
  const connection = await client.connect(newCall());
  const pending = ask(connection, 'x');
  while (listener.inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
  const drained = listener.drain(5_000);
  await drains.promise;
  assert.equal(client.current(), undefined);
  assert.throws(() => ask0(connection), { code: 'UNAVAILABLE', executed: 'no' });
  answer();
  assert.equal(String(await pending), 'done');
  await drained;
  assert.equal(listener.connections, 0);
  await client.close();
});

function ask0(peer: RSocketPeer): void {
  peer.fireAndForget(undefined, 'x');
}

test('a listener whose drain deadline is over cuts its calls', async () => {
  const listener = await served({ requestResponse() {} });
  const client = clientOf(listener.port);
  const connection = await client.connect(newCall());
  const pending = ask(connection, 'x');
  while (listener.inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([assert.rejects(pending, { code: 'CONNECTION_LOST', executed: 'unknown' }), listener.drain(0)]);
  await client.close();
});

test('the server asks its client', async () => {
  const peers: RSocketPeer[] = [];
  const listener = await served(echo, { accept: (_setup, peer) => void peers.push(peer) });
  const client = clientOf(listener.port, { responder: echo });
  await client.connect(newCall());
  while (peers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(String(await ask(peers[0] as RSocketPeer, 'back')), 'back!');
  await client.close();
  await listener.drain(2_000);
});

test('bytes that trickle in, and 10 MiB both ways', async () => {
  const listener = await served({ requestResponse: (request, stream) => stream.respond(request.copyData()) });
  const relay = await trickling(listener.port);
  const client = clientOf(relay.port);
  const connection = await client.connect(newCall());
  assert.equal(String(await ask(connection, 'slowly')), 'slowly');
  await client.close();
  await relay.stop();
  const direct = clientOf(listener.port);
  const big = Buffer.alloc(10_000_000, 'abcdefg');
  const peer = await direct.connect(newCall());
  const answers = await Promise.all([ask(peer, big), ask(peer, 'small'), ask(peer, big)]);
  assert.ok(answers[0]?.equals(big) && answers[2]?.equals(big));
  assert.equal(String(answers[1]), 'small');
  await direct.close();
  await listener.drain(2_000);
});

test('what begins like SETUP and is none is refused in words', async () => {
  const listener = await served();
  const socket = connect({ port: listener.port, host: '127.0.0.1' });
  socket.write(Buffer.from('00000c0000000004000002000000010000', 'hex').subarray(0, 15));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  assert.match(Buffer.concat(chunks).toString('latin1'), /Unsupported version|ends within its fields/);
  await listener.drain(2_000);
});

/** Passes on byte by byte what the client says. */
async function trickling(port: number): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const sockets: Socket[] = [];
  const server: Server = createServer((downstream) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(downstream, upstream);
    downstream.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at++) upstream.write(chunk.subarray(at, at + 1));
    });
    downstream.on('end', () => upstream.end()).on('error', () => {});
    upstream.on('data', (chunk: Buffer) => void downstream.write(chunk));
    upstream.on('end', () => downstream.end()).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
