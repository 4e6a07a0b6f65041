import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '@flotilla/core/testing';
import fc from 'fast-check';
import * as z from 'zod';
import { CallsPair } from '../../../test/calls-pair.ts';
import { Heard } from '../../../test/rsocket-pair.ts';
import { bind, contract, duplex, notify, query, stream, upload } from '../../index.ts';
import { routingEntry } from '../composite-metadata.ts';

const Key = z.object({ id: z.string() });
const shop = contract(
  { name: 'shop', version: 1 },
  {
    item: query({ in: Key, out: Key }),
    seen: notify({ in: Key }),
    counts: stream({ in: Key, out: z.number() }),
    sum: upload({ in: z.number(), out: z.number() }),
    double: duplex({ in: z.number(), out: z.number() }),
  },
);

const pair = new CallsPair(
  [
    bind(shop, {
      item: ({ id }) => ({ id }),
      seen: () => {},
      async *counts() {
        yield 1;
      },
      async sum(numbers) {
        let sum = 0;
        for await (const n of numbers) sum += n;
        return sum;
      },
      async *double(numbers) {
        for await (const n of numbers) yield 2 * n;
      },
    }),
  ],
  {},
  {},
  false,
);

const text = (value: string): Buffer => Buffer.from(value);
const routes = fc.constantFrom('shop.item', 'shop.seen', 'shop.counts', 'shop.sum', 'shop.double', 'shop.none', '');
const entry = fc
  .tuple(fc.constantFrom('application/vnd.flotilla.context', 'traceparent', 'x/y'), fc.uint8Array({ maxLength: 60 }))
  .map(([mime, content]) => {
    const head = [mime.length - 1, ...text(mime), 0, 0, content.length];
    return Buffer.concat([Buffer.from(head), content]);
  });
const metadata = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(routes, fc.array(entry, { maxLength: 4 }))
    .map(([route, more]) => Buffer.concat([routingEntry(route), ...more])),
);
const data = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.json({ maxDepth: 2 }).map(text),
  fc.constantFrom('{"id":"1"}', '7', '', '{"__proto__":{}}', '[[[[', '\ufeff{}').map(text),
);
const interactions = fc.constantFrom('requestResponse', 'fireAndForget', 'requestStream', 'requestChannel');

test('whatever is asked is answered or refused, and the calls beside it go on', async () => {
  const { client } = pair.pair;
  await fc.assert(
    fc.asyncProperty(metadata, data, interactions, async (said, sent, interaction) => {
      const heard = new Heard();
      if (interaction === 'fireAndForget') client.fireAndForget(said, sent);
      else if (interaction === 'requestResponse') client.requestResponse(said, sent, heard);
      else if (interaction === 'requestStream') client.requestStream(said, sent, 4, heard);
      else client.requestChannel(said, sent, 4, heard, true);
      assert.deepEqual(await pair.client(shop).item({ id: 'beside' }), { id: 'beside' });
      await settle();
      if (interaction !== 'fireAndForget') assert.equal(heard.ends.length, 1, JSON.stringify(heard));
      assert.deepEqual([client.outstanding, pair.pair.server.inFlight], [0, 0]);
    }),
    { numRuns: 300 },
  );
});
