import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { withFolder } from '../../test/folder.ts';
import { holdMs, type Shelf } from './shelf.ts';
import { type CatalogStore, openCatalog } from './store.ts';

const maxDbBytes = 2 ** 24;
const minute = 60_000;

/** Each copy is a connection of its own to one file, as two processes have. */
async function withCopies(count: number, use: (...copies: CatalogStore[]) => unknown): Promise<void> {
  await withFolder(async (folder) => {
    const dbFile = join(folder, 'data', 'catalog.sqlite');
    const copies = Array.from({ length: count }, () => openCatalog({ dbFile, maxDbBytes }));
    try {
      await use(...copies);
    } finally {
      for (const copy of copies) copy.close();
    }
  });
}

const reserve = (shelf: Shelf, orderId: string, items: Readonly<Record<string, number>>, now = 0) => {
  const wanted = Object.entries(items).map(([productId, quantity]) => ({ productId, quantity }));
  return shelf.wish(orderId, { wish: 'reserve', items: wanted }, now);
};
const commit = (shelf: Shelf, orderId: string, now = 0) => shelf.wish(orderId, { wish: 'commit' }, now);
const release = (shelf: Shelf, orderId: string, now = 0) => shelf.wish(orderId, { wish: 'release' }, now);

test('an order takes all that it wants, with the prices of the moment', async () => {
  await withCopies(1, ({ shelf, product }) => {
    const made = reserve(shelf, 'o1', { 'rice-bowl': 2, 'ginger-tea': 1 });
    assert.deepEqual(made, {
      state: 'held',
      lines: [
        { productId: 'rice-bowl', name: 'Harbour rice bowl', priceCents: 1_150, quantity: 2 },
        { productId: 'ginger-tea', name: 'Ginger tea', priceCents: 390, quantity: 1 },
      ],
      expiresAt: holdMs,
    });
    assert.deepEqual([product('rice-bowl')?.stock, product('ginger-tea')?.stock], [38, 199]);
  });
});

test('an order that cannot have everything takes nothing, and says of what how much is left', async () => {
  await withCopies(1, ({ shelf, product }) => {
    assert.deepEqual(reserve(shelf, 'o1', { 'rice-bowl': 1, 'last-cookie': 2 }), {
      state: 'refused',
      refusal: { kind: 'soldOut', id: 'last-cookie', left: 1 },
    });
    assert.deepEqual(reserve(shelf, 'o2', { 'rice-bowl': 1, no: 1 }), {
      state: 'refused',
      refusal: { kind: 'unknown', id: 'no' },
    });
    assert.equal(product('rice-bowl')?.stock, 40);
  });
});

test('one product on two lines is counted together', async () => {
  await withCopies(1, ({ shelf, product }) => {
    const twice = [1, 1].map((quantity) => ({ productId: 'last-cookie', quantity }));
    const made = shelf.wish('o1', { wish: 'reserve', items: twice }, 0);
    assert.deepEqual(made, { state: 'refused', refusal: { kind: 'soldOut', id: 'last-cookie', left: 1 } });
    assert.equal(product('last-cookie')?.stock, 1);
  });
});

test('every wish may be repeated, at whichever copy: it takes, sells and gives back once', async () => {
  await withCopies(2, ({ shelf: first, product }, { shelf: second }) => {
    const made = reserve(first, 'o1', { 'fish-soup': 5 });
    assert.deepEqual(reserve(second, 'o1', { 'fish-soup': 5 }), made);
    assert.equal(product('fish-soup')?.stock, 7);
    assert.equal(commit(first, 'o1').state, 'sold');
    assert.equal(commit(second, 'o1').state, 'sold');
    assert.equal(release(second, 'o1').state, 'sold');
    assert.equal(reserve(first, 'o1', { 'fish-soup': 5 }).state, 'sold');
    assert.equal(product('fish-soup')?.stock, 7);
    reserve(first, 'o2', { 'fish-soup': 7 });
    assert.equal(release(first, 'o2').state, 'released');
    assert.equal(release(second, 'o2').state, 'released');
    assert.equal(commit(second, 'o2').state, 'released');
    assert.equal(product('fish-soup')?.stock, 7);
  });
});

test('a reservation lapses at its exact time, and its stock is there for others', async () => {
  await withCopies(2, ({ shelf, product }, { shelf: other }) => {
    reserve(shelf, 'o1', { 'last-cookie': 1 }, minute);
    other.sweep(minute + holdMs - 1);
    assert.equal(reserve(other, 'o2', { 'last-cookie': 1 }, minute + holdMs - 1).state, 'refused');
    assert.equal(product('last-cookie')?.stock, 0);
    other.sweep(minute + holdMs);
    assert.equal(product('last-cookie')?.stock, 1);
    assert.equal(commit(shelf, 'o1', minute + holdMs).state, 'lapsed');
    assert.equal(reserve(other, 'o3', { 'last-cookie': 1 }, minute + holdMs).state, 'held');
    assert.equal(reserve(shelf, 'o1', { 'last-cookie': 1 }, minute + holdMs).state, 'refused', 'it came too late');
  });
});

test('one that lapsed can be taken anew by its order, and is sold once', async () => {
  await withCopies(1, ({ shelf, product }) => {
    reserve(shelf, 'o1', { 'last-cookie': 1 }, 0);
    assert.equal(commit(shelf, 'o1', holdMs).state, 'lapsed');
    assert.equal(reserve(shelf, 'o1', { 'last-cookie': 1 }, holdMs).state, 'held');
    assert.equal(commit(shelf, 'o1', holdMs).state, 'sold');
    shelf.sweep(10 * holdMs);
    assert.equal(product('last-cookie')?.stock, 0);
  });
});

test('what was given up is forgotten after a day, what was sold never', async () => {
  await withCopies(1, ({ shelf }) => {
    release(shelf, 'given up', 0);
    reserve(shelf, 'sold', { 'ginger-tea': 1 }, 0);
    commit(shelf, 'sold', 0);
    shelf.sweep(48 * 60 * minute);
    assert.equal(commit(shelf, 'given up', 0).state, 'none');
    assert.equal(commit(shelf, 'sold', 0).state, 'sold');
  });
});

test('two copies never sell the last piece twice', async () => {
  await withCopies(2, ({ shelf: first, product }, { shelf: second }) => {
    const states = [reserve(first, 'a', { 'last-cookie': 1 }), reserve(second, 'b', { 'last-cookie': 1 })];
    assert.deepEqual(
      states.map(({ state }) => state),
      ['held', 'refused'],
    );
    assert.equal(product('last-cookie')?.stock, 0);
  });
});

test('a full disk refuses to reserve and changes nothing; what was promised before is kept', async () => {
  await withFolder((folder) => {
    const dbFile = join(folder, 'catalog.sqlite');
    openCatalog({ dbFile, maxDbBytes }).close();
    const full = openCatalog({ dbFile, maxDbBytes: 65_536 }); // less than it has: no page more
    const kept: string[] = [];
    assert.throws(
      () => {
        for (let order = 0; ; order++) {
          if (reserve(full.shelf, `o${order}`, { 'ginger-tea': 1 }).state === 'held') kept.push(`o${order}`);
        }
      },
      { code: 'NOT_STORED', message: /there is no room left/ },
    );
    assert.equal(full.product('ginger-tea')?.stock, 200 - kept.length);
    full.close();
    const roomy = openCatalog({ dbFile, maxDbBytes });
    for (const order of kept) assert.equal(commit(roomy.shelf, order).state, 'sold');
    assert.equal(roomy.product('ginger-tea')?.stock, 200 - kept.length);
    roomy.close();
  });
});

/** A shelf written without thinking of anything but the rule: the twin of the property below. */
function naiveShelf(delivered: number) {
  const orders = new Map<string, { state: string; quantity: number; expiresAt: number }>();
  const left = (): number =>
    [...orders.values()]
      .filter(({ state }) => state === 'held' || state === 'sold')
      .reduce((rest, { quantity }) => rest - quantity, delivered);
  return {
    left,
    wish(id: string, wish: string, quantity: number, now: number): string {
      for (const order of orders.values()) if (order.state === 'held' && order.expiresAt <= now) order.state = 'lapsed';
      const order = orders.get(id);
      const state = order?.state ?? 'none';
      if (wish === 'reserve' && (state === 'none' || state === 'lapsed'))
        orders.set(id, { state: left() >= quantity ? 'held' : 'refused', quantity, expiresAt: now + holdMs });
      if (wish === 'commit' && order && state === 'held') order.state = 'sold';
      if (wish === 'release' && (state === 'none' || state === 'held' || state === 'lapsed'))
        orders.set(id, { state: 'released', quantity, expiresAt: now });
      return orders.get(id)?.state ?? 'none';
    },
  };
}

test('whatever is wished in whatever order, copies agree with the plain rule, and no piece is lost or made', async () => {
  const step = fc.record({
    order: fc.integer({ min: 0, max: 4 }),
    wish: fc.constantFrom('reserve', 'commit', 'release'),
    copy: fc.integer({ min: 0, max: 1 }),
    pass: fc.constantFrom(0, 1, holdMs / 2, holdMs),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (history) => {
      await withCopies(2, (...copies) => {
        const naive = naiveShelf(12);
        let now = 0;
        for (const { order, wish, copy, pass } of history) {
          now += pass;
          const quantity = 2 + order;
          const { shelf, product } = copies[copy] as CatalogStore;
          const asked: Parameters<Shelf['wish']>[1] =
            wish === 'reserve' ? { wish, items: [{ productId: 'fish-soup', quantity }] } : { wish: wish as 'commit' };
          assert.equal(shelf.wish(`o${order}`, asked, now).state, naive.wish(`o${order}`, wish, quantity, now));
          assert.equal(product('fish-soup')?.stock, naive.left());
        }
      });
    }),
    { numRuns: 25 },
  );
});
