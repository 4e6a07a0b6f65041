import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { nodeEngine } from './engines.ts';
import { answer, type EngineUnderTest, text, World } from './support.ts';

/** What reached the upstream: method, path and body. */
interface Recording {
  readonly world: World;
  readonly reached: string[];
}

/**
 * Sends bytes and reads until the gateway closes or resets.
 * @param leave also closes this side, as a client that goes away does
 */
function exchange(port: number, bytes: string, { leave = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => {}).on('close', () => resolve(received));
    socket.write(bytes, 'latin1', () => leave && socket.end());
  });
}

async function recordingWorld(engine: EngineUnderTest): Promise<Recording> {
  const world = new World(engine);
  const reached: string[] = [];
  const { url } = await world.serve(async ({ method, path, query, headers, body }) => {
    const got = await text(body).catch(() => 'broken off');
    reached.push(`${method} ${path.text}${query === '' ? '' : `?${query}`} ${got}`);
    return answer(200, JSON.stringify([...headers]));
  });
  await world.open({ id: 'all', path: '/**', to: url });
  return { world, reached };
}

const head = 'Host: shop.example\r\n';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n';

const hostile: readonly (readonly [name: string, bytes: string])[] = [
  [
    'content-length and transfer-encoding',
    `POST / HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ['two lengths', `POST / HTTP/1.1\r\n${head}Content-Length: 0\r\nContent-Length: 48\r\n\r\n${smuggled}`],
  ['a length with a sign', `POST / HTTP/1.1\r\n${head}Content-Length: +4\r\n\r\nbody${smuggled}`],
  [
    'a coding behind a tab',
    `POST / HTTP/1.1\r\n${head}Transfer-Encoding:\tchunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ['a coding in a list', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['a blank before the colon', `POST / HTTP/1.1\r\n${head}Content-Length : 4\r\n\r\nbody${smuggled}`],
  ['a folded field', `POST / HTTP/1.1\r\n${head}X-A: b\r\n Content-Length: 48\r\n\r\n${smuggled}`],
  ['a bare line feed', `GET / HTTP/1.1\n${head}\n${smuggled}`],
  [
    'a chunk size with a sign',
    `POST / HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n+4\r\nbody\r\n0\r\n\r\n${smuggled}`,
  ],
  ['two hosts', `GET / HTTP/1.1\r\n${head}Host: evil.example\r\n\r\n${smuggled}`],
  ['a target for another host', `GET http://evil.example/ HTTP/1.1\r\n${head}\r\n${smuggled}`],
  ['a path that climbs', `GET /a/../../etc/passwd HTTP/1.1\r\n${head}\r\n${smuggled}`],
  ['a path that climbs in escapes', `GET /a/%2e%2e/%2e%2e/x HTTP/1.1\r\n${head}\r\n${smuggled}`],
  ['an escaped slash', `GET /a%2fb HTTP/1.1\r\n${head}\r\n${smuggled}`],
  ['a backslash', `GET /a\\b HTTP/1.1\r\n${head}\r\n${smuggled}`],
  ['CONNECT', `CONNECT shop.example:80 HTTP/1.1\r\n${head}\r\n${smuggled}`],
  ['TRACE', `TRACE / HTTP/1.1\r\n${head}\r\n${smuggled}`],
];

describe('a gateway on raw sockets', () => {
  for (const [name, bytes] of hostile) {
    it(`refuses ${name}, and nothing of it reaches the upstream`, async () => {
      const { world, reached } = await recordingWorld(nodeEngine());
      const received = await exchange(world.port, bytes);
      assert.match(received, /^HTTP\/1\.1 (?:400|405|501) /);
      assert.deepEqual(reached, []);
      assert.equal(received.match(/HTTP\/1\.1 \d/g)?.length, 1, 'one answer, then the end');
      await world.close();
    });
  }

  it('aborts what a client leaves unfinished: the upstream never sees it complete', async () => {
    const { world, reached } = await recordingWorld(nodeEngine());
    await exchange(world.port, `POST /half HTTP/1.1\r\n${head}Content-Length: 100\r\n\r\nonly this`, { leave: true });
    await exchange(world.port, `POST /chunks HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n`, {
      leave: true,
    });
    await world.close();
    assert.deepEqual(
      reached.filter((line) => !line.endsWith('broken off')),
      [],
    );
  });

  const refusedNames = ['Content-Length', 'Authorization', 'Cookie', 'X-Forwarded-For', 'Host', 'Traceparent'];
  for (const name of refusedNames) {
    it(`refuses a connection field that names ${name}`, async () => {
      const { world, reached } = await recordingWorld(nodeEngine());
      const received = await exchange(world.port, `GET / HTTP/1.1\r\n${head}Connection: close, ${name}\r\n\r\n`);
      assert.match(received, /^HTTP\/1\.1 400 /);
      assert.match(received, /MALFORMED_REQUEST/);
      assert.deepEqual(reached, []);
      await world.close();
    });
  }

  it('takes away what the connection field names, and every field of the connection', async () => {
    const { world } = await recordingWorld(nodeEngine());
    const fields =
      'Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Authorization: x\r\nx_real_ip: 1\r\nX-Kept: 1\r\n';
    const received = await exchange(world.port, `GET / HTTP/1.1\r\n${head}${fields}\r\n`);
    const names = (JSON.parse(received.split('\r\n\r\n')[1] ?? '') as [string, string][]).map(([name]) => name);
    assert(names.includes('x-kept'));
    for (const name of ['x-hop', 'keep-alive', 'te', 'proxy-authorization', 'x_real_ip'])
      assert(!names.includes(name), name);
    await world.close();
  });

  it('drops trailers and chunk extensions', async () => {
    const { world, reached } = await recordingWorld(nodeEngine());
    const chunks = '4;ext=1\r\nbody\r\n0\r\nX-Admin: 1\r\n\r\n';
    const received = await exchange(
      world.port,
      `POST /t HTTP/1.1\r\n${head}Trailer: X-Admin\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunks}`,
    );
    assert.match(received, /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(received, /x-admin/i);
    assert.deepEqual(reached, ['POST /t body']);
    await world.close();
  });

  it('answers pipelined requests in order, each from its own upstream exchange', async () => {
    const { world, reached } = await recordingWorld(nodeEngine());
    const request = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\n${head}${more}\r\n`;
    const received = await exchange(world.port, request('/1') + request('/2') + request('/3', 'Connection: close\r\n'));
    assert.equal(received.match(/HTTP\/1\.1 200/g)?.length, 3);
    assert.deepEqual(reached, ['GET /1 ', 'GET /2 ', 'GET /3 ']);
    await world.close();
  });
});
