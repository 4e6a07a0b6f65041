import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { bytes, response } from '../../../test/contract-support.ts';
import { RawClient, statuses } from '../../../test/raw-client.ts';
import { rawServer } from '../../../test/raw-server.ts';

const controls = [...Array(0x21).keys(), 0x7f, 0xa0].map((code) => String.fromCharCode(code));
const blanks = new Set([' ', '\t']);

/** A field with one character put in one place. `harmless`: only optional white space, RFC 9112 §5, that may be taken. */
function* mutations(name: string, value: string): Generator<{ line: string; harmless: boolean }> {
  for (const c of controls) {
    yield { line: `${c}${name}: ${value}`, harmless: false };
    yield { line: `${name.slice(0, 4)}${c}${name.slice(4)}: ${value}`, harmless: false };
    yield { line: `${name}${c}: ${value}`, harmless: false };
    yield { line: `${name}:${c}${value}`, harmless: blanks.has(c) };
    yield { line: `${name}: ${value.slice(0, 1)}${c}${value.slice(1)}`, harmless: false };
    yield { line: `${name}: ${value}${c}`, harmless: blanks.has(c) };
  }
}

const framings = [
  { name: 'Transfer-Encoding', value: 'chunked', body: '5\r\nhello\r\n0\r\n\r\n' },
  { name: 'Content-Length', value: '05', body: 'hello' },
];

for (const { name, value, body } of framings) {
  it(`no control character in a ${name} field changes what a body is`, { timeout: 60_000 }, async () => {
    const seen: string[] = [];
    const server = await rawServer(async (request) => {
      seen.push((await bytes(request.body)).toString());
      return response(200, 'ok\n');
    });
    for (const { line, harmless } of mutations(name, value)) {
      seen.length = 0;
      const head = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${line}\r\n\r\n`;
      const received = await new RawClient(server.listener.port).send(head + body).untilClosed();
      const [status = 0] = statuses(received);
      const shown = `${JSON.stringify(line)} → ${received.slice(0, 40)}`;
      if (status === 200) assert.deepEqual([harmless, ...seen], [true, 'hello'], shown);
      else assert.deepEqual([status, ...seen], [400], shown);
    }
    await server.close();
  });
}

const seeds = [
  'GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: v\r\n\r\n',
  'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
];

/** Requests with bytes cut out, put in and said twice. */
const mangled = fc
  .tuple(
    fc.array(fc.constantFrom(...seeds), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(400), fc.nat(12), fc.string({ unit: 'binary-ascii', maxLength: 4 })), { maxLength: 4 }),
  )
  .map(([parts, edits]) =>
    edits.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), parts.join('')),
  );

it('whatever bytes come, every request is answered or closed, and the listener lives', {
  timeout: 60_000,
}, async () => {
  const server = await rawServer(async ({ body }) => response(200, await bytes(body)));
  const run = fc.asyncProperty(mangled, async (text) => {
    const client = new RawClient(server.listener.port).send(text);
    client.socket.end();
    const answers = statuses(await client.untilClosed());
    assert.ok(
      answers.every((status) => status < 500 || status === 505),
      `${answers} to ${JSON.stringify(text)}`,
    );
  });
  await fc.assert(run, { numRuns: 300 });
  const alive = await server.connect();
  await alive.send(seeds[0] ?? '').until(/^HTTP\/1\.1 200 /);
  await server.close();
});
