import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFleet } from '@flotilla/testkit';
import { booksOf } from '../../test/books.ts';
import { withFolder } from '../../test/folder.ts';
import { type ServiceProcess, startProcess } from '../../test/process.ts';
import { app as catalogApp } from '../catalog.ts';

// Real sockets, real files, and the real program of `order` in a process of its own, which is killed by SIGKILL.

interface Shop {
  startOrder(crashAt?: string): Promise<ServiceProcess>;
  books(settled: boolean): ReturnType<typeof booksOf>;
}

async function withCatalog(use: (shop: Shop) => Promise<void>): Promise<void> {
  await withFolder(async (cwd) => {
    const [catalogFile, orderFile] = [join(cwd, 'catalog.sqlite'), join(cwd, 'order.sqlite')];
    const catalog = { app: catalogApp, settings: { dbFile: catalogFile } };
    await using fleet = await startFleet({ services: [catalog], network: 'sockets' });
    const processes: ServiceProcess[] = [];
    try {
      await use({
        async startOrder(crashAt) {
          const flags = [`--settings.db-file=${orderFile}`];
          const started = await startProcess('services/order.ts', { cwd, registry: fleet.registryUrl, flags, crashAt });
          processes.push(started);
          return started;
        },
        books: (settled) => booksOf(catalogFile, orderFile, { settled }),
      });
    } finally {
      for (const one of processes) await one.kill();
    }
  });
}

interface Answer {
  readonly status: number;
  readonly id: string;
  readonly totalCents: number;
}

/** Undefined: the connection broke. */
async function place({ url }: ServiceProcess, key: string, productId = 'rice-bowl'): Promise<Answer | undefined> {
  const items = [
    { productId, quantity: 1 },
    { productId: 'ginger-tea', quantity: 2 },
  ];
  const body = JSON.stringify({ key, userId: 'ada', customer: 'Ada', address: 'Pier 1', items });
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/orders`, { method: 'POST', headers, body });
    const { id, totalCents } = (await response.json()) as Omit<Answer, 'status'>;
    return { status: response.status, id, totalCents };
  } catch {
    return undefined;
  }
}

const steps = ['asked', 'written', 'reserved', 'sold', 'placed'] as const;

for (const step of steps) {
  test(`killed when an order is ${step}: after the restart it is placed once, and a retry gets the same`, async () => {
    await withCatalog(async ({ startOrder, books }) => {
      const key = `basket-killed-when-${step}`;
      const crashing = await startOrder(step);
      assert.equal(await place(crashing, key), undefined, 'nobody was told that it is placed');
      assert.equal(await crashing.ended, 'SIGKILL');
      books(false);

      const restarted = await startOrder();
      // An order that was written is finished without anybody asking for it.
      if (step !== 'asked' && step !== 'placed') {
        await restarted.reached('placed');
        assert.equal(books(true).get('rice-bowl')?.placed, 1);
      }
      const first = await place(restarted, key);
      const again = await place(restarted, key);
      assert.deepEqual([first?.status, first?.totalCents], [201, 1_150 + 2 * 390]);
      assert.deepEqual(again, first);
      const book = books(true);
      assert.deepEqual([book.get('rice-bowl')?.placed, book.get('ginger-tea')?.placed], [1, 2]);
    });
  });
}

test('killed again and again while it makes good what a kill left behind, it still sells once', async () => {
  await withCatalog(async ({ startOrder, books }) => {
    const key = 'basket-killed-again-and-again';
    await place(await startOrder('written'), key, 'last-cookie');
    for (const step of ['reserved', 'reserved', 'sold', 'sold', 'placed']) {
      const crashing = await startOrder(step);
      assert.equal(await crashing.ended, 'SIGKILL');
      books(false);
    }
    const restarted = await startOrder();
    assert.equal((await place(restarted, key, 'last-cookie'))?.status, 201);
    assert.equal((await place(restarted, 'basket-of-somebody-else', 'last-cookie'))?.status, 409);
    const book = books(true);
    assert.deepEqual([book.get('last-cookie')?.left, book.get('last-cookie')?.placed], [0, 1]);
  });
});

test('killed in the middle of many orders, it loses none that was confirmed and sells none twice', async () => {
  await withCatalog(async ({ startOrder, books }) => {
    const keys = Array.from({ length: 24 }, (_, index) => `basket-of-the-rush-${index}`);
    const crashing = await startOrder();
    const confirmed = new Map<string, Answer>();
    const rush = keys.map(async (key) => {
      const answer = await place(crashing, key);
      if (answer?.status === 201) confirmed.set(key, answer);
      if (confirmed.size >= 6) crashing.child.kill('SIGKILL');
    });
    await Promise.all(rush);
    assert.equal(await crashing.ended, 'SIGKILL');
    books(false);

    const restarted = await startOrder();
    for (const key of keys) {
      const answer = await place(restarted, key);
      assert.equal(answer?.status, 201);
      const before = confirmed.get(key);
      if (before) assert.deepEqual(answer, before);
    }
    assert.equal(books(true).get('rice-bowl')?.placed, keys.length);
  });
});
