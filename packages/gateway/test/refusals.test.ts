import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { nodeNetwork } from '@flotilla/http/node';
import { refusalPage } from '../src/index.ts';
import { nodeEngine } from './engines.ts';
import { World } from './support.ts';

function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => {}).on('close', () => resolve(received));
    socket.write(bytes, 'latin1');
  });
}

const host = 'Host: localhost\r\n';
const rows: readonly (readonly [name: string, bytes: (accept: string) => string, status: number])[] = [
  ['too many fields', (accept) => `GET / HTTP/1.1\r\n${host}${accept}${'X: y\r\n'.repeat(120)}\r\n`, 431],
  ['two hosts', (accept) => `GET / HTTP/1.1\r\n${host}${host}${accept}\r\n`, 400],
  ['a path with a script that climbs', (accept) => `GET /../<script> HTTP/1.1\r\n${host}${accept}\r\n`, 400],
  [
    'a body that says it is too large',
    (accept) => `POST / HTTP/1.1\r\n${host}${accept}Content-Length: 99\r\n\r\n`,
    413,
  ],
  ['an expectation', (accept) => `GET / HTTP/1.1\r\n${host}${accept}Expect: more\r\n\r\n`, 417],
  [
    'a WebSocket of another version',
    (accept) => `GET / HTTP/1.1\r\n${host}${accept}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
    426,
  ],
];

describe('what a listener refuses before the gateway sees it', () => {
  for (const [name, bytes, status] of rows) {
    it(`${name}: a page for browsers, a problem for everybody else`, { timeout: 10_000 }, async () => {
      const engine = nodeEngine();
      const limits = { maxHeaderFields: 100, maxBodyBytes: 50 };
      const world = new World({ ...engine, outside: nodeNetwork({ ...engine, refusalPage, limits }) });
      await world.open();
      const page = await exchange(world.port, bytes('Accept: text/html,*/*;q=0.8\r\n'));
      const problem = await exchange(world.port, bytes(''));
      for (const received of [page, problem]) {
        assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `));
        assert.match(received, /^connection: close\r$/im);
        const [head = '', body = ''] = received.split('\r\n\r\n');
        assert.equal(Number(/^content-length: (\d+)\r?$/im.exec(head)?.[1]), Buffer.byteLength(body, 'latin1'));
      }
      assert.match(
        page,
        new RegExp(
          `content-type: text/html; charset=utf-8\r\n[\\s\\S]*content-security-policy: default-src 'none'[\\s\\S]*<title>${status} `,
        ),
      );
      assert.doesNotMatch(page, /<script/);
      assert.match(problem, /content-type: application\/problem\+json\r\n/);
      await world.close();
    });
  }

  it('HEAD gets the head alone; bytes that are no request get a problem, whatever they ask for', {
    timeout: 10_000,
  }, async () => {
    const engine = nodeEngine();
    const world = new World({ ...engine, outside: nodeNetwork({ ...engine, refusalPage }) });
    await world.open();
    const head = await exchange(world.port, `HEAD / HTTP/1.1\r\n${host}${host}Accept: text/html\r\n\r\n`);
    assert.match(head, /^HTTP\/1\.1 400 [\s\S]*text\/html[\s\S]*\r\n\r\n$/);
    const garbage = await exchange(world.port, `GET / HTTP/1.1\r\nAccept: text/html\r\nno colon\r\n\r\n`);
    assert.match(garbage, /^HTTP\/1\.1 400 [\s\S]*application\/problem\+json/);
    await world.close();
  });
});
