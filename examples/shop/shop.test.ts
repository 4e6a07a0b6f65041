import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Fleet, startFleet } from '@flotilla/testkit';
import { type Client, safe } from 'flotilla';
import { web } from './contracts/web.ts';
import { app as webApp } from './edge/web.ts';
import { app as catalogApp } from './services/catalog.ts';
import { app as orderApp } from './services/order.ts';

/** The whole shop in one process: real services and databases, a real registry, no socket. */
async function withShop(use: (shop: Client<typeof web>, fleet: Fleet) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-shop-'));
  try {
    await using fleet = await startFleet({
      services: [
        { app: catalogApp, settings: { dbFile: join(folder, 'catalog.sqlite') } },
        { app: orderApp, settings: { dbFile: join(folder, 'order.sqlite') } },
        webApp,
      ],
      gateway: { routesFile: new URL('./gateway.yaml', import.meta.url) },
    });
    await use(fleet.client(web), fleet);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const customer = { customer: 'Ada', address: 'Pier 1' };

test('the home page gathers categories and products, trimmed to cards', async () => {
  await withShop(async (shop) => {
    const home = await shop.home(undefined);
    assert.deepEqual(home.missing, []);
    assert.equal(home.categories.length, 4);
    const [first] = home.categories[0]?.products ?? [];
    assert.deepEqual(first, { id: 'rice-bowl', name: 'Harbour rice bowl', priceCents: 1_150, available: true });
  });
});

test('a product page brings its relatives; an unknown one says so with its id', async () => {
  await withShop(async (shop) => {
    const page = await shop.product({ id: 'last-cookie' });
    assert.deepEqual([page.left, page.related.map(({ id }) => id)], [1, ['poppy-cake', 'plum-crumble']]);
    const unknown = await safe(shop.product({ id: 'nothing' }));
    assert.ok(!unknown.ok && unknown.error.code === 'PRODUCT_UNKNOWN');
    assert.deepEqual(unknown.error.data, { id: 'nothing' });
  });
});

test('an order is placed once, found by its id, and takes its stock', async () => {
  await withShop(async (shop) => {
    const order = await shop.placeOrder({ ...customer, items: [{ productId: 'last-cookie', quantity: 1 }] });
    assert.equal(order.totalCents, 250);
    assert.deepEqual(await shop.order({ id: order.id }), order);
    const second = await safe(shop.placeOrder({ ...customer, items: [{ productId: 'last-cookie', quantity: 1 }] }));
    assert.ok(!second.ok && second.error.code === 'SOLD_OUT');
    assert.deepEqual(second.error.data, { id: 'last-cookie', left: 0 });
    assert.equal((await shop.product({ id: 'last-cookie' })).available, false);
  });
});

test('nobody finds an order without its id, and a bad order is refused by name', async () => {
  await withShop(async (shop) => {
    const guessed = await safe(shop.order({ id: '1' }));
    assert.ok(!guessed.ok && guessed.error.code === 'ORDER_UNKNOWN');
    const bad = await safe(shop.placeOrder({ ...customer, items: [{ productId: 'rice-bowl', quantity: 0 }] }));
    assert.ok(!bad.ok && bad.error.code === 'INVALID_INPUT');
    assert.match(JSON.stringify(bad.error.data), /quantity/);
  });
});

test('twenty buyers of the last pieces at once: none is sold twice, none is lost', async () => {
  await withShop(async (shop) => {
    const buy = () => safe(shop.placeOrder({ ...customer, items: [{ productId: 'fish-soup', quantity: 1 }] }));
    const results = await Promise.all(Array.from({ length: 20 }, buy));
    assert.equal(results.filter(({ ok }) => ok).length, 12);
    assert.equal((await shop.product({ id: 'fish-soup' })).left, 0);
  });
});

test('through the gateway the page comes without products while nobody can reach them', async () => {
  await withShop(async (_, fleet) => {
    fleet.network.between('web', 'catalog').refuse();
    const broken = await fleet.gateway.fetch('/api/home');
    assert.equal(broken.status, 503, 'the categories are no optional part');
    fleet.network.heal();
    const home = await fleet.gateway.fetch('/api/home');
    assert.equal(home.status, 200);
    assert.equal((await fleet.gateway.fetch('/stock/taken', { method: 'POST', body: '{}' })).status, 404);
  });
});
