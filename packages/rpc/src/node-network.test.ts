import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Call, type Endpoint, sleep, systemClock, systemRandom } from '@flotilla/core';
import type { HttpListener, HttpRequest, HttpResponse } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import * as z from 'zod';
import {
  bind,
  type Client,
  command,
  contract,
  contractHandler,
  createClient,
  error,
  get,
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
    counts: stream({ in: z.object({ to: z.number(), padding: z.string() }), out: z.string() }),
  },
);

/** The same over real sockets: what memory cannot show is that bytes arrive and connections are given back. */
describe('a contract over sockets', () => {
  const waiting: PromiseWithResolvers<Call>[] = [];
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
    client = createClient(shop, endpoint, { authority, clock: systemClock, random: systemRandom });
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

  it('gives every connection back', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => client.item({ id: `${index}` })));
    assert.equal(endpoint.load, 0);
    assert.equal(listener.inFlight, 0);
  });
});
