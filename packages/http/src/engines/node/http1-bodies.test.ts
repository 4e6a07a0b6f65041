import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import fc from 'fast-check';
import { response, untilStill, bytes as wholeBytes } from '../../../test/contract-support.ts';
import { rawServer } from '../../../test/raw-server.ts';
import type { HttpBody, HttpHandler } from '../../exchange.ts';

/** What a handler does with a body: takes all of it, begins and leaves, or does not look. */
const uses = ['read', 'leave', 'ignore'] as const;

interface Sent {
  readonly use: (typeof uses)[number];
  readonly size: number;
  readonly inChunks: boolean;
  /** Size of the chunks, and of the pieces in which the answer comes. */
  readonly piece: number;
}

/** Bytes that differ from place to place and from request to request. */
function content({ size, piece }: Sent): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = at * 31 + (at >> 8) * 7 + piece;
  return bytes;
}

function digest(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

function wire(sent: Sent): string {
  const body = content(sent).toString('latin1');
  const head = `POST /${sent.use}/${sent.piece} HTTP/1.1\r\nHost: a\r\n`;
  if (!sent.inChunks) return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  let framed = '';
  for (let at = 0; at < body.length; at += sent.piece) {
    const part = body.slice(at, at + sent.piece);
    framed += `${part.length.toString(16)}\r\n${part}\r\n`;
  }
  return `${head}Transfer-Encoding: chunked\r\n\r\n${framed}0\r\n\r\n`;
}

async function* inPieces(body: Uint8Array, piece: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += piece) yield body.subarray(at, at + piece);
}

async function used(use: string, body: HttpBody): Promise<Buffer> {
  if (use === 'read') return wholeBytes(body);
  if (use === 'leave' && body !== undefined && !(body instanceof Uint8Array)) for await (const _ of body) break;
  return Buffer.from(use);
}

/** What a body came to, and the body itself in a stream. */
const handler: HttpHandler = async ({ path, body }) => {
  const [use = '', piece] = path.segments;
  const taken = await used(use, body);
  return response(200, inPieces(taken, Number(piece)), [['x-digest', digest(taken)]]);
};

const anySize = fc.oneof(fc.nat(40), fc.integer({ min: 4_000, max: 5_000 }), fc.integer({ min: 60_000, max: 300_000 }));
const anySent: fc.Arbitrary<Sent> = fc.record({
  use: fc.constantFrom(...uses, 'read', 'read'),
  size: anySize,
  inChunks: fc.boolean(),
  piece: fc.integer({ min: 700, max: 70_000 }),
});

it('bodies of any size, read or not, in one line on one connection: each has its own answer, or the connection ends', {
  timeout: 120_000,
}, async () => {
  const server = await rawServer(handler);
  const run = fc.asyncProperty(fc.array(anySent, { minLength: 1, maxLength: 6 }), fc.nat(90_000), async (all, cut) => {
    const client = await server.connect();
    const text = `${all.map(wire).join('')}GET /ignore/9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    client.send(text.slice(0, cut));
    await untilStill(() => client.received.length);
    client.send(text.slice(cut));
    await Promise.race([client.closed, client.until(/\r\nconnection: close\r\n/)]);
    await client.close();
    const digests = [...client.received.matchAll(/^x-digest: (.*)\r$/gm)].map(([, hex]) => hex);
    const expected = all.map((sent) => digest(sent.use === 'read' ? content(sent) : Buffer.from(sent.use)));
    if (all.every(({ use }) => use === 'read')) assert.equal(digests.length, all.length + 1);
    else assert.ok(digests.length > 0);
    assert.deepEqual(digests.slice(0, all.length), expected.slice(0, digests.length));
  });
  await fc.assert(run, { numRuns: 40, seed: 3 });
  await server.close();
});

it('a body that is never out of chunks leaves others their turn, and ends when its client has left', async () => {
  let made = 0;
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from(`${made++}\n`);
    } finally {
      leave();
    }
  }
  const server = await rawServer(async () => response(200, endless()));
  const client = await server.connect();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(/\r\n9\n\r\n/);
  let most = 0;
  for (let turn = 0, before = made; turn < 20; turn++, before = made) {
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, made - before);
  }
  assert.ok(most > 0 && most <= 256, `${most} chunks in one turn of the loop`);
  await client.close();
  await left;
  await server.close();
});
