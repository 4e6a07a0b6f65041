import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ManualClock } from '@flotilla/core/testing';
import { RedisServer, redisMissing } from '@flotilla/store/testing';
import { type FlotillaError, forgetAnswers, service } from 'flotilla';
import { command, contract, error, get, query } from 'flotilla/contract';
import { z } from 'zod';
import { startFleet } from '../src/index.ts';

const Product = z.object({ id: z.string(), price: z.number() });
const Item = z.union([
  z.object({ value: Product }),
  z.object({ error: z.object({ code: z.string(), data: z.object({ id: z.string() }).optional() }) }),
]);

const catalog = contract(
  { name: 'catalog', version: 1 },
  {
    product: query({
      in: z.object({ id: z.string() }),
      out: Product,
      errors: { NOT_FOUND: error(404, z.object({ id: z.string() })) },
      http: get('/products/{id}'),
    }),
    products: query({
      in: z.object({ items: z.array(z.object({ id: z.string() })) }),
      out: z.object({ items: z.array(Item) }),
    }),
    buy: command({ in: z.object({ id: z.string() }), out: z.object({ receipt: z.number() }) }),
  },
);

/** A catalogue whose calls are written down, and somebody who calls it. */
function shop() {
  const done: string[] = [];
  const app = service('catalog');
  app.handle(catalog, {
    product({ id }, call) {
      done.push(`product ${id}`);
      return id === 'none' ? call.fail('NOT_FOUND', { id }) : { id, price: 1 };
    },
    products({ items }) {
      done.push(`products ${items.map(({ id }) => id)}`);
      return {
        items: items.map(({ id }) =>
          id === 'none' ? { error: { code: 'NOT_FOUND', data: { id } } } : { value: { id, price: 1 } },
        ),
      };
    },
    buy({ id }) {
      done.push(`buy ${id}`);
      return { receipt: done.length };
    },
  });
  const caller = service('caller');
  const client = caller.client(catalog, { batches: { product: { into: 'products', max: 3 } } });
  return { done, app, caller, client };
}

test('look-ups that a page makes side by side reach the service as one call, without any configuration', async () => {
  const { done, app, caller, client } = shop();
  const fleet = await startFleet({ services: [app, caller], clock: new ManualClock() });
  const [one, none, two] = await fleet.until(
    Promise.allSettled([client.product({ id: '1' }), client.product({ id: 'none' }), client.product({ id: '2' })]),
  );
  assert.deepEqual(
    [one, two].map((each) => each?.status === 'fulfilled' && each.value),
    [
      { id: '1', price: 1 },
      { id: '2', price: 1 },
    ],
  );
  assert.equal(none?.status === 'rejected' && none.reason.code, 'NOT_FOUND');
  assert.deepEqual(done, ['products 1,none,2']);
  await fleet.stop();
});

test('the configuration says what is kept and shared, and code forgets it', async () => {
  const { done, app, caller, client } = shop();
  const clients = {
    catalog: {
      operations: { product: { cache: { enabled: true }, singleFlight: { enabled: true }, batch: { enabled: false } } },
    },
  };
  const fleet = await startFleet({ services: [app, { app: caller, config: { clients } }], clock: new ManualClock() });
  const ask = () => fleet.until(client.product({ id: '7' }));
  assert.deepEqual(await Promise.all([ask(), ask()]), Array(2).fill({ id: '7', price: 1 }));
  await ask();
  assert.deepEqual(done, ['product 7']);
  forgetAnswers(client, 'product', { id: 'other' });
  await ask();
  assert.equal(done.length, 1);
  forgetAnswers(client, 'product', { id: '7' });
  await ask();
  forgetAnswers(client);
  await ask();
  assert.equal(done.length, 3);
  await fleet.stop();
});

describe('a service of two copies that share a Redis', { skip: redisMissing() ?? false }, () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.end());

  test('does a command once, whichever copy it comes to again', async () => {
    const { done, app, caller, client } = shop();
    const config = { store: server.url };
    const fleet = await startFleet({ services: [{ app, copies: 2, config }, caller] });
    const buy = (idempotencyKey: string) => client.buy({ id: '1' }, undefined, { idempotencyKey });
    const first = await buy('k');
    for (let turn = 0; turn < 10; turn++) assert.deepEqual(await buy('k'), first);
    assert.deepEqual(done, ['buy 1']);
    await buy('another');
    assert.equal(done.length, 2);
    await fleet.stop();
  });

  test('keeps its rate together, whichever copy is asked', async () => {
    const { done, app, caller, client } = shop();
    const limits = { rateLimit: { ratePerSecond: 0.01, burst: 4, shared: true } };
    const fleet = await startFleet({
      services: [
        { app, copies: 2, config: { store: server.url, server: limits } },
        {
          app: caller,
          config: { clients: { catalog: { retries: 0, operations: { product: { batch: { enabled: false } } } } } },
        },
      ],
    });
    const outcomes: string[] = [];
    for (let turn = 0; turn < 12; turn++) {
      outcomes.push(
        await client.product({ id: '1' }).then(
          () => 'answered',
          (error: FlotillaError) => error.code,
        ),
      );
    }
    assert.equal(outcomes.filter((outcome) => outcome === 'answered').length, 4, outcomes.join());
    assert.equal(done.length, 4);
    assert.ok(outcomes.slice(4).every((outcome) => outcome === 'RATE_LIMITED'));
    await fleet.stop();
  });
});
