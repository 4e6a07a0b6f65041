import { type Call, FlotillaError, sleep, systemClock, systemRandom } from '@flotilla/core';
import type { HttpListener } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import {
  bind,
  command,
  contract,
  contractHandler,
  del,
  error,
  get,
  notify,
  post,
  put,
  query,
  stream,
} from '@flotilla/rpc';
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
    slow: query({ out: z.object({ done: z.boolean() }), http: get('/slow') }),
    slowOutcome: query({ out: z.object({ cancelled: z.string() }), http: get('/slow/outcome') }),
  },
);

/** Opens the service on a free port of the loopback. */
export async function openShop(): Promise<HttpListener> {
  const network = nodeNetwork({ clock: systemClock, random: systemRandom });
  return network.listen({ host: '127.0.0.1', port: 0 }, contractHandler([bindShop()]));
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
