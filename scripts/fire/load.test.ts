import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { HttpClient } from './client.ts';
import { startLoad } from './load.ts';

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const open = new Set<{ close(): void }>();
afterEach(() => {
  for (const server of open) server.close();
  open.clear();
});

/** A server that does what `serve` says with each request, by its number from 0. */
async function serverThat(serve: (socket: Socket, request: number) => void): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', () => serve(socket, requests++));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.add({
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  return { host: '127.0.0.1', port: (server.address() as { port: number }).port };
}

test('a server that stalls shows in the tail: every request that was due meanwhile waited', async () => {
  let stalledUntilOpen: (() => void)[] | undefined = [];
  const target = await serverThat((socket) => {
    if (stalledUntilOpen) stalledUntilOpen.push(() => socket.write(answer));
    else socket.write(answer);
    if (stalledUntilOpen?.length !== 50) return;
    const held = stalledUntilOpen;
    stalledUntilOpen = undefined;
    for (const release of held) release();
  });
  // Nothing is answered before the fiftieth request is there: at 200 a second the first one waits for at least 245 ms.
  const { latency, outcomes, sent } = await startLoad({ ...target, path: '/', ratePerSecond: 200, durationMs: 500 })
    .done;
  assert.deepEqual([sent, [...outcomes]], [100, [['ok', 100]]]);
  assert.ok(latency.maxMs >= 244, `the first waited ${latency.maxMs} ms`);
  // Half of all waited for the fiftieth, so a fifth of all waited for at least 145 ms. A closed loop would show one or none.
  assert.ok(latency.quantileMs(0.8) >= 144, `a fifth waited ${latency.quantileMs(0.8)} ms`);
});

test('requests wait for one of the connections, and their wait counts', async () => {
  const target = await serverThat((socket, request) => {
    if (request === 0) setTimeout(() => socket.write(answer), 300);
    else socket.write(answer);
  });
  const load = startLoad({ ...target, path: '/', ratePerSecond: 100, durationMs: 200, maxConnections: 1 });
  const { outcomes, latency } = await load.done;
  assert.deepEqual([...outcomes], [['ok', 20]]);
  assert.ok(latency.quantileMs(0.05) >= 100, 'the last one was due 200 ms before the first one was answered');
});

test('each way to fail is told from the others', async () => {
  const ways: readonly [outcome: string, serve: (socket: Socket) => void][] = [
    ['ok', (socket) => socket.write(answer)],
    ['status 503', (socket) => socket.write('HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno')],
    ['reset', (socket) => socket.destroy()],
    ['reset', (socket) => socket.resetAndDestroy()],
    ['truncated', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok')],
    ['truncated', (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n')],
    ['truncated', (socket) => socket.end('HTTP/1.1 2')],
    ['malformed', (socket) => socket.write('nonsense\r\n\r\n')],
    ['timed out', () => {}],
    ['timed out', (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok')],
  ];
  for (const fresh of [true, false]) {
    const target = await serverThat((socket, request) => ways[request]?.[1](socket));
    const client = new HttpClient({ ...target, maxConnections: 1 });
    for (const [outcome] of ways) {
      const timeoutMs = outcome === 'timed out' ? 30 : 10_000;
      assert.equal((await client.send({ path: '/', fresh, timeoutMs })).outcome, outcome);
    }
    client.close();
  }
  const { port } = await serverThat(() => {});
  for (const server of open) server.close();
  const nobody = new HttpClient({ host: '127.0.0.1', port, maxConnections: 1 });
  assert.equal((await nobody.send({ path: '/', timeoutMs: 10_000 })).outcome, 'refused');
});

test('a connection is used again, unless it is to be fresh or the server said that it closes', async () => {
  const asked: string[] = [];
  const target = await serverThat((socket, request) => {
    asked.push(`${socket.remotePort}`);
    socket.write(request === 2 ? 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n' : answer);
  });
  const client = new HttpClient({ ...target, maxConnections: 2 });
  for (const fresh of [false, false, false, false, true]) {
    assert.equal((await client.send({ path: '/', fresh, timeoutMs: 10_000 })).outcome, 'ok');
  }
  client.close();
  const [a, b, c, d, e] = asked;
  assert.ok(a === b && b === c && c !== d && d !== e);
});

test('the share of fresh connections is kept, and the load ends by itself after its number of requests', async () => {
  const ports = new Set<number | undefined>();
  const target = await serverThat((socket) => {
    ports.add(socket.remotePort);
    socket.write(answer);
  });
  const options = { ...target, path: '/', ratePerSecond: 500, durationMs: 200, freshShare: 0.5, maxConnections: 60 };
  const { sent, seconds } = await startLoad(options).done;
  assert.equal(sent, 100);
  assert.ok(ports.size > 50, `${ports.size} connections for 50 fresh requests and the others`);
  assert.equal(
    seconds.reduce((sum, { latency }) => sum + latency.count, 0),
    100,
  );
});
