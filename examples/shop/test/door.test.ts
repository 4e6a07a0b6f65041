import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ManualClock } from '@flotilla/testkit';
import { type Client, service } from 'flotilla';
import { catalog, type Product } from '../contracts/catalog.ts';
import { stock } from '../contracts/stock.ts';
import { app as webApp } from '../edge/web.ts';
import { app as catalogApp } from '../services/catalog.ts';
import { app as orderApp } from '../services/order.ts';
import { app as reviewApp } from '../services/review.ts';
import { app as userApp } from '../services/user.ts';
import { type Shop, withShop } from './fleet.ts';

// Through the gateway, with the routes that the shop has.

const routesFile = new URL('../gateway.yaml', import.meta.url);
const shop = [catalogApp, reviewApp, userApp, orderApp, webApp];

async function json(answer: Promise<Response>, status = 200) {
  const response = await answer;
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text);
}

/** What a page of the shop sends. */
const send = ({ fleet }: Shop, path: string, document: object, cookie = ''): Promise<Response> =>
  fleet.gateway.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'http://127.0.0.1:8080', cookie },
    body: JSON.stringify(document),
  });

/** Another catalog, with one dish. It tells how urgent the calls are that reach it. */
function smallCatalog(name: string, heard: (operation: string, priority: string) => void = () => {}) {
  const app = service('catalog');
  const dish: Product = {
    ...{ id: 'rice-bowl', category: 'bowls', name, description: 'Rice.', tags: [], priceCents: 1_000, stock: 5 },
  };
  const lines = [{ productId: dish.id, name, priceCents: dish.priceCents, quantity: 1 }];
  app.handle(catalog, {
    categories: () => [{ id: 'bowls', name: 'Bowls' }],
    products: () => [dish],
    search: () => [dish],
    product(_, call) {
      heard('product', call.priority);
      return dish;
    },
    viewed: (_, call) => heard('viewed', call.priority),
    popular: () => [],
  });
  app.handle(stock, {
    reserve(_, call) {
      heard('reserve', call.priority);
      return { lines };
    },
    commit(_, call) {
      heard('commit', call.priority);
      return { lines };
    },
    release: () => ({ sold: false }),
    deliver: () => ({ lines: 0, pieces: 0 }),
  });
  return app;
}

test('who orders goes before who looks around, through every service; counting views is what goes first', async () => {
  const heard: string[] = [];
  const watched = smallCatalog('Rice bowl', (operation, priority) => heard.push(`${operation}: ${priority}`));
  await withShop(
    [reviewApp, userApp, orderApp, webApp],
    async (all) => {
      await all.fleet.add(watched);
      const person = { name: 'Ada', email: 'ada@example.org', password: 'a harbour at night' };
      const cookie = (await send(all, '/api/people', person)).headers.getSetCookie()[0]?.split(';')[0];
      const items = [{ productId: 'rice-bowl', quantity: 1 }];
      const order = { key: 'basket-of-the-hurry', customer: 'Ada', address: 'Pier 1', items };
      await json(send(all, '/api/orders', order, cookie), 201);
      await json(all.fleet.gateway.fetch('/api/products/rice-bowl'));
      assert.equal((await send(all, '/api/products/rice-bowl/views', {})).status, 202);
      const mine = await json(all.fleet.gateway.fetch('/api/orders', { headers: { cookie: cookie ?? '' } }));
      assert.equal(mine.orders.length, 1, 'other methods of the same path have their own route');
    },
    { gateway: { routesFile } },
  );
  assert.deepEqual(heard, ['reserve: critical', 'commit: critical', 'product: default', 'viewed: bulk']);
});

test('what people look at most is what the first page shows', async () => {
  const clock = new ManualClock();
  await withShop(
    shop,
    async (all) => {
      const view = (id: string): Promise<Response> => send(all, `/api/products/${id}/views`, {});
      for (const id of ['pretzel', 'pea-soup', 'pea-soup', 'no-such-dish']) assert.equal((await view(id)).status, 202);
      await clock.advance(5_000); // until the counts are written down
      const { popular } = await json(all.fleet.gateway.fetch('/api/home'));
      assert.deepEqual(
        popular.map(({ id }: { id: string }) => id),
        ['pea-soup', 'pretzel'],
      );
    },
    { clock, gateway: { routesFile } },
  );
});

test('a delivery is on the shelf once, however often its list is sent, and all of it or nothing', async () => {
  await withShop([catalogApp], async ({ fleet }) => {
    const [shelf, menu]: [Client<typeof stock>, Client<typeof catalog>] = [fleet.client(stock), fleet.client(catalog)];
    const left = async (id: string) => (await menu.product({ id })).stock;
    const list = [
      { note: 'harbour-17', productId: 'last-cookie', quantity: 20 },
      { note: 'harbour-17', productId: 'pretzel', quantity: 5 },
    ];
    const before = await left('pretzel');
    assert.deepEqual(await shelf.deliver(list), { lines: 2, pieces: 25 });
    assert.deepEqual(await shelf.deliver(list), { lines: 0, pieces: 0 });
    const mistyped = [{ note: 'harbour-18', productId: 'pretzel', quantity: 5 }, ...list.slice(1)];
    const unknown = { note: 'harbour-18', productId: 'no-such-dish', quantity: 1 };
    await assert.rejects(shelf.deliver([...mistyped, unknown]), {
      code: 'PRODUCT_UNKNOWN',
      data: { id: 'no-such-dish' },
    });
    async function* endless() {
      for (let line = 0; ; line++) yield { note: `note ${line}`, productId: 'pretzel', quantity: 1 };
    }
    await assert.rejects(shelf.deliver(endless()), { code: 'LIST_TOO_LONG', data: { maxLines: 10_000 } });
    assert.deepEqual([await left('last-cookie'), await left('pretzel')], [21, before + 5]);
  });
});

/** Staff see the shop with whatever is labelled `next`, at an address of their own. */
const preview = `
  - id: preview
    hosts: [next.shop.example]
    path: /**
    to: service://web
    auth: public
    filters:
      - context: { baggage: { flotilla.lane: next } }
`;

test('a new catalog is tried beside the old one, by those alone whose calls say so', async () => {
  await withShop(
    shop,
    async ({ fleet }) => {
      fleet.gateway.apply(`${readFileSync(routesFile, 'utf8')}${preview}`);
      await fleet.add({ app: smallCatalog('The next rice bowl'), config: { metadata: { lane: 'next' } } });
      const shown = async (host: string): Promise<[name: string, reviews: number]> => {
        const page = await json(fleet.gateway.fetch('/api/products/rice-bowl', { headers: { host } }));
        return [page.name, page.reviews.length];
      };
      assert.deepEqual(await shown('shop.example'), ['Harbour rice bowl', 3]);
      assert.deepEqual(await shown('next.shop.example'), ['The next rice bowl', 3], 'its reviews come from the base');
      const [web] = fleet.copies('web');
      const [why] = web?.why('catalog') ?? [];
      assert.deepEqual(
        why?.instances.map(({ lane, leftOut }) => [lane, leftOut?.why]),
        [
          [undefined, undefined],
          ['next', 'its lane is "next", the call’s is another'],
        ],
      );
      await fleet.leave('catalog.2');
      assert.deepEqual(
        await shown('next.shop.example'),
        ['Harbour rice bowl', 3],
        'where there is none, it is the base',
      );
    },
    { gateway: { routesFile } },
  );
});
