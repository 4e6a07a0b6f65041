import { type Call, FlotillaError, nullLogger, sleep, systemClock, systemRandom } from '@flotilla/core';
import type { HttpListener } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import {
  bind,
  byteStream,
  bytes,
  command,
  contract,
  contractHandler,
  del,
  error,
  form,
  get,
  multipart,
  notify,
  openApiMediaType,
  openApiOf,
  post,
  put,
  query,
  stream,
} from '@flotilla/rpc';
import { createHealth, managementHandler, prometheusMeter } from '@flotilla/telemetry';
import * as z from 'zod';

const Product = z.object({ id: z.string(), name: z.string(), cents: z.number(), tags: z.array(z.string()) });

/** A small service for transcripts: one operation for each thing that a person does by hand. */
const shop = contract(
  { name: 'shop', version: 1 },
  {
    product: query({
      in: z.object({ id: z.string() }),
      out: Product,
      errors: { NOT_FOUND: error(404, z.object({ id: z.string() })) },
      http: get('/products/{id}'),
    }),
    search: query({
      in: z.object({ shelf: z.string(), below: z.number().optional(), tag: z.array(z.string()) }),
      out: z.object({ shelf: z.string(), below: z.number().nullable(), tags: z.array(z.string()) }),
      http: get('/shelves/{shelf}/products'),
    }),
    order: command({
      in: z.object({ product: z.string(), count: z.number().int().positive() }),
      out: z.object({ id: z.string(), cents: z.number() }),
      http: post('/orders', { status: 201, location: '/orders/{id}' }),
    }),
    change: command({
      in: z.object({ id: z.string(), revision: z.string(), count: z.number() }),
      out: z.object({ id: z.string(), revision: z.string() }),
      http: put('/orders/{id}', { header: { revision: 'if-match' }, responseHeader: { revision: 'etag' } }),
    }),
    cancel: command({ in: z.object({ id: z.string() }), http: del('/orders/{id}') }),
    signIn: command({
      in: z.object({ name: z.string() }),
      out: z.object({ name: z.string(), session: z.string() }),
      http: post('/session', { setCookie: { session: { name: 'sid', maxAgeSeconds: 3_600 } } }),
    }),
    whoAmI: query({
      in: z.object({ session: z.string() }),
      out: z.object({ name: z.string() }),
      http: get('/session', { cookie: { session: 'sid' } }),
    }),
    reserve: command({ in: z.object({ product: z.string() }), out: z.object({ left: z.number() }) }),
    seen: notify({ in: z.object({ product: z.string() }) }),
    prices: stream({
      in: z.object({ from: z.number(), failAt: z.number().optional() }),
      out: z.object({ cents: z.number() }),
      errors: { SOLD_OUT: error(409) },
      http: get('/prices'),
    }),
    subscribe: command({
      in: z.object({ mail: z.string(), weekly: z.boolean(), topic: z.array(z.string()) }),
      out: z.object({ mail: z.string(), weekly: z.boolean(), topic: z.array(z.string()) }),
      http: post('/subscriptions', { body: form({ maxBytes: 100, maxFields: 5 }) }),
    }),
    album: command({
      in: z.object({ id: z.string(), title: z.string() }),
      out: z.object({ title: z.string(), files: z.array(z.string()) }),
      http: post('/albums/{id}', {
        body: multipart({ type: 'image/*', maxFileBytes: 1_000, fileFields: ['picture'] }),
      }),
    }),
    keep: command({
      in: z.object({ id: z.string() }),
      out: z.object({ id: z.string(), type: z.string(), bytes: z.number() }),
      http: put('/pictures/{id}', { body: byteStream({ type: ['image/png', 'image/jpeg'], maxBytes: 1_000 }) }),
    }),
    priceList: query({ out: bytes({ type: 'text/csv' }), http: get('/price-list') }),
    slow: query({ out: z.object({ done: z.boolean() }), http: get('/slow') }),
    slowOutcome: query({ out: z.object({ cancelled: z.string() }), http: get('/slow/outcome') }),
  },
);

/** Opens the service and its management port, each on a free port of the loopback. */
export async function openShop(): Promise<{ readonly shop: HttpListener; readonly management: HttpListener }> {
  const network = nodeNetwork({ clock: systemClock, random: systemRandom });
  const { document } = openApiOf([shop], { title: 'shop', servers: ['http://127.0.0.1:8080'] });
  const management = managementHandler({
    health: createHealth(),
    meter: prometheusMeter({ processMetrics: false }),
    logger: nullLogger,
    config: () => [],
    info: () => ({}),
    openapi: () => ({ document, mediaType: openApiMediaType, url: 'http://127.0.0.1:8080' }),
  });
  const anywhere = { host: '127.0.0.1', port: 0 };
  return {
    shop: await network.listen(anywhere, contractHandler([bindShop()])),
    management: await network.listen(anywhere, management),
  };
}

function bindShop(): ReturnType<typeof bind> {
  let slowEnded = Promise.withResolvers<string>();
  return bind(shop, {
    product: ({ id }, call) =>
      id === '7'
        ? { id, name: 'rice bowl', cents: 890, tags: ['blue'] }
        : call.fail('NOT_FOUND', { id }, `no product has the id "${id}"`),
    search: ({ shelf, below, tag }) => ({ shelf, below: below ?? null, tags: tag }),
    order: ({ count }) => ({ id: 'o 1', cents: 890 * count }),
    change({ id, revision, count }) {
      if (revision !== '"1"') throw new FlotillaError('FORBIDDEN', 'the order was changed in the meantime');
      return { id, revision: `"${count}"` };
    },
    cancel: () => {},
    signIn: ({ name }) => ({ name, session: `of ${name}` }),
    whoAmI: ({ session }) => ({ name: session.replace(/^of /, '') }),
    reserve: () => ({ left: 3 }),
    seen: () => {},
    async *prices({ from, failAt }, call) {
      for (let cents = from; cents < from + 3; cents++) {
        if (cents === failAt) call.fail('SOLD_OUT', undefined, 'nothing is left');
        yield { cents };
      }
    },
    subscribe: (subscription) => subscription,
    async album({ title, files }) {
      const seen: string[] = [];
      for await (const { field, name, type, content } of files) {
        let size = 0;
        for await (const chunk of content) size += chunk.byteLength;
        seen.push(`${field}: ${name}, ${type}, ${size} bytes`);
      }
      return { title, files: seen };
    },
    async keep({ id, body }) {
      let size = 0;
      for await (const chunk of body.content) size += chunk.byteLength;
      return { id, type: body.type, bytes: size };
    },
    priceList: () => ({
      content: new TextEncoder().encode('id,cents\n7,890\n'),
      name: 'price list.csv',
      etag: 'week-31',
    }),
    async slow(_, call) {
      slowEnded = Promise.withResolvers<string>();
      await endless(call).catch(({ code }: FlotillaError) => slowEnded.resolve(code));
      return { done: false };
    },
    slowOutcome: async () => ({ cancelled: await slowEnded.promise }),
  });
}

/** Ends when the call is cancelled; a test would never wait for the rest. */
function endless(call: Call): Promise<void> {
  return sleep(30_000, call);
}
