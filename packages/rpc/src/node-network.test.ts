import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createReadStream, openAsBlob, type ReadStream, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Call, type Endpoint, sleep, systemClock, systemRandom } from '@flotilla/core';
import type { HttpListener, HttpRequest, HttpResponse } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import * as z from 'zod';
import {
  bind,
  byteStream,
  type Client,
  command,
  contract,
  contractHandler,
  createClient,
  error,
  get,
  httpCalls,
  multipart,
  post,
  query,
  safe,
  stream,
} from './index.ts';

const Key = z.object({ id: z.string() });
const shop = contract(
  { name: 'shop', version: 1 },
  {
    item: query({ in: Key, out: Key, errors: { GONE: error(410, Key) }, http: get('/items/{id}') }),
    order: command({
      in: z.object({ lines: z.array(z.string()) }),
      out: z.object({ id: z.string(), session: z.string() }),
      http: post('/orders', { status: 201, location: '/orders/{id}', setCookie: { session: { name: 'sid' } } }),
    }),
    wait: query({ out: Key }),
    album: command({
      in: z.object({ title: z.string() }),
      out: z.object({ title: z.string(), files: z.array(z.object({ name: z.string(), hash: z.string() })) }),
      http: post('/albums', { body: multipart({ maxBytes: 10_000_000 }) }),
    }),
    film: command({
      out: byteStream({ type: 'video/mp4' }),
      http: post('/films', { body: byteStream({ type: 'video/mp4', maxBytes: 5_000_000 }) }),
    }),
    file: query({ in: Key, out: byteStream({ type: 'text/plain' }), http: get('/files/{id}') }),
    counts: stream({ in: z.object({ to: z.number(), padding: z.string() }), out: z.string() }),
  },
);

/** The same over real sockets: what memory cannot show is that bytes arrive and connections are given back. */
describe('a contract over sockets', () => {
  const waiting: PromiseWithResolvers<Call>[] = [];
  const opened: ReadStream[] = [];
  const failures: PromiseWithResolvers<unknown>[] = [];
  const begun = new EventEmitter();
  let listener: HttpListener;
  let endpoint: Endpoint<HttpRequest, HttpResponse>;
  let client: Client<typeof shop>;

  before(async () => {
    const network = nodeNetwork({ clock: systemClock, random: systemRandom });
    const binding = bind(shop, {
      item: ({ id }, call) => (id === 'gone' ? call.fail('GONE', { id }) : { id }),
      order: ({ lines }) => ({ id: lines.join(' '), session: 'ü;' }),
      wait(_, call) {
        call.onCancel(() => waiting.shift()?.resolve(call));
        return new Promise(() => {});
      },
      async album({ title, files }) {
        const failure = title === 'sea' ? failures.shift() : undefined;
        const seen: { name: string; hash: string }[] = [];
        for await (const { name, content } of files) {
          const hash = createHash('sha256');
          begun.emit('file');
          try {
            if (title !== 'unread') for await (const chunk of content) hash.update(chunk);
          } catch (thrown) {
            failure?.resolve(thrown);
            throw thrown;
          }
          seen.push({ name, hash: hash.digest('hex') });
        }
        return { title, files: seen };
      },
      film: ({ body }) => body, // as it comes, while it comes
      file({ id }) {
        const content = createReadStream(import.meta.filename);
        opened.push(content);
        return { content, ...(id === 'named' ? { name: 'test.ts' } : {}) };
      },
      async *counts({ to, padding }, call) {
        try {
          for (let n = 1; n <= to; n++) yield n + padding;
          if (to === 0) await sleep(60_000, call);
        } finally {
          waiting.shift()?.resolve(call);
        }
      },
    });
    listener = await network.listen({ host: '127.0.0.1', port: 0 }, contractHandler([binding]));
    const authority = `127.0.0.1:${listener.port}`;
    endpoint = network.connect({ protocol: 'http', host: '127.0.0.1', port: listener.port });
    const needs = { clock: systemClock, random: systemRandom };
    client = createClient(shop, httpCalls(endpoint, { authority, ...needs }), needs);
  });

  after(async () => {
    await endpoint.close();
    await listener.drain(1_000);
    assert.equal(listener.connections, 0);
  });

  it('answers', async () => assert.deepEqual(await client.item({ id: 'ä b' }), { id: 'ä b' }));

  it('answers errors', async () => {
    const result = await safe(client.item({ id: 'gone' }));
    assert.ok(!result.ok && result.error.code === 'GONE' && result.error.data.id === 'gone');
  });

  it('puts cookies back', async () => {
    assert.deepEqual(await client.order({ lines: ['a', 'b'] }), { id: 'a b', session: 'ü;' });
  });

  it('streams more than any buffer holds', async () => {
    let sum = 0;
    for await (const n of client.counts({ to: 5_000, padding: 'x'.repeat(500) })) sum += Number.parseInt(n, 10);
    assert.equal(sum, 12_502_500);
  });

  it('ends the handler of a stream that is left', async () => {
    const ended = Promise.withResolvers<Call>();
    waiting.push(ended);
    for await (const n of client.counts({ to: 1_000_000, padding: '' })) if (n === '3') break;
    assert.equal((await ended.promise).cancelled?.code, 'CANCELLED');
  });

  it('cancels the handler of a caller who goes away', async () => {
    const cancelled = Promise.withResolvers<Call>();
    waiting.push(cancelled);
    await assert.rejects(client.wait(undefined, undefined, { timeoutMs: 100 }), { code: 'DEADLINE_EXCEEDED' });
    assert.ok((await cancelled.promise).cancelled);
  });

  it('sends files larger than any buffer, from memory, from disk and from a stream', async () => {
    const large = new Uint8Array(3_000_000).map((_, index) => index * 7);
    const blob = await openAsBlob(import.meta.filename);
    const { files } = await client.album({
      title: 'sea',
      files: [
        { name: 'large', content: large },
        { name: 'disk', content: blob },
        { name: 'stream', content: createReadStream(import.meta.filename) },
      ],
    });
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    const source = hash(readFileSync(import.meta.filename));
    assert.deepEqual(files, [
      { name: 'large', hash: hash(large) },
      { name: 'disk', hash: source },
      { name: 'stream', hash: source },
    ]);
    assert.equal((await client.album({ title: 'unread', files: [{ content: large }] })).files.length, 1);
  });

  it('lets bytes flow in and out at the same time', async () => {
    const source = (async function* () {
      for (let n = 0; n < 40; n++) yield new Uint8Array(100_000).fill(n);
    })();
    const { content, type } = await client.film({ body: source });
    let size = 0;
    for await (const chunk of content) size += chunk.byteLength;
    assert.deepEqual([type, size], ['video/mp4', 4_000_000]);
  });

  it('refuses a stream over its limit while it comes, and says the limit', async () => {
    const body = new Uint8Array(5_000_001);
    const refused = { code: 'BODY_TOO_LARGE', data: { maxBytes: 5_000_000 } };
    await assert.rejects(client.film({ body }), refused);
  });

  it('closes a file that nobody reads: of HEAD, of a download that is cancelled, of one that is left', async () => {
    const { content, name } = await client.file({ id: 'named' });
    assert.equal(name, 'test.ts');
    assert.deepEqual(Buffer.concat(await Array.fromAsync(content)), readFileSync(import.meta.filename));
    const url = `http://127.0.0.1:${listener.port}/files/1`;
    assert.equal((await fetch(url, { method: 'HEAD' })).status, 200);
    (await client.file({ id: '1' })).cancel();
    for await (const _ of (await client.file({ id: '1' })).content) break;
    assert.equal(opened.length, 4);
    // A file that is left half read ends with an AbortError, for which `once` would reject before the file is closed.
    await Promise.all(opened.map((file) => file.closed || new Promise<void>((resolve) => file.once('close', resolve))));
  });

  it('closes a file that could not be sent, or was not read to its end', async () => {
    const nobody = nodeNetwork({ clock: systemClock, random: systemRandom }).connect({
      protocol: 'http',
      host: '127.0.0.1',
      port: 1,
    });
    const needs = { clock: systemClock, random: systemRandom };
    const unheard = createClient(shop, httpCalls(nobody, { authority: 'nobody:1', ...needs }), needs);
    const send: ((content: ReadStream) => Promise<unknown>)[] = [
      (content) => unheard.film({ body: content }),
      (content) => unheard.film({ body: { content, type: 'video/mp4' } }),
      (content) => unheard.album({ title: '', files: [{ content }] }),
      (content) => client.film({ body: { content, type: 'text/plain' } }),
    ];
    for (const each of send) {
      const file = createReadStream(import.meta.filename);
      await assert.rejects(each(file));
      if (!file.closed) await once(file, 'close');
    }
    await nobody.close();
  });

  it('ends the handler of an upload that breaks off', async () => {
    const ended = Promise.withResolvers<unknown>();
    failures.push(ended);
    const socket = connect(listener.port, '127.0.0.1');
    const head = [
      'POST /albums HTTP/1.1',
      'host: a',
      'content-type: multipart/form-data; boundary=xyz',
      'content-length: 9999',
    ];
    const title = '--xyz\r\ncontent-disposition: form-data; name="title"\r\n\r\nsea\r\n';
    const file = '--xyz\r\ncontent-disposition: form-data; name="a"; filename="b"\r\n\r\nhalf of it';
    socket.write(`${head.join('\r\n')}\r\n\r\n${title}${file}`);
    await once(begun, 'file');
    socket.resetAndDestroy();
    assert.equal(((await ended.promise) as { code: string }).code, 'CANCELLED');
  });

  it('gives every connection back', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => client.item({ id: `${index}` })));
    assert.equal(endpoint.load, 0);
    assert.equal(listener.inFlight, 0);
  });
});
