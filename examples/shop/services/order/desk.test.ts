import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, seededRandom } from '@flotilla/testkit';
import { Call, type Client, service } from 'flotilla';
import { stock } from '../../contracts/stock.ts';
import { booksOf } from '../../test/books.ts';
import { withShop } from '../../test/fleet.ts';
import { holdMs } from '../catalog/shelf.ts';
import { app as catalogApp } from '../catalog.ts';
import { type Desk, giveUpMs, openDesk } from './desk.ts';
import { type OrderStore, openOrderStore, type Wanted } from './store.ts';

const maxDbBytes = 2 ** 24;
const random = seededRandom(1);

type Shelf = Client<typeof stock>;

interface Bench {
  readonly clock: ManualClock;
  readonly store: OrderStore;
  readonly shelf: Shelf;
  readonly orderFile: string;
  readonly desk: Desk;
  /** Another desk over the same orders: what a restart makes. */
  deskWith(shelf: Partial<Shelf>, store?: OrderStore): Desk;
  call(): Call;
  books(settled?: boolean): ReturnType<typeof booksOf>;
  partition(): void;
  heal(): void;
}

/** A desk with the real catalog over a network in memory, and time that moves by hand. */
async function withDesk(use: (bench: Bench) => Promise<void>): Promise<void> {
  const clock = new ManualClock();
  const caller = service('caller');
  const shelf = caller.client(stock, { timeoutMs: 1_000 });
  await withShop(
    [catalogApp, caller],
    async ({ file, fleet }) => {
      const store = openOrderStore({ dbFile: file('order'), maxDbBytes });
      const catalog = fleet.network.around('catalog');
      try {
        await use({
          ...{ clock, store, shelf, orderFile: file('order'), desk: openDesk(store, shelf) },
          deskWith: (changed, kept = store) => openDesk(kept, { ...shelf, ...changed }),
          call: () => new Call({ clock, random }),
          books: (settled = true) => booksOf(file('catalog'), file('order'), { settled }),
          partition: () => catalog.refuse(),
          heal: () => catalog.heal(),
        });
      } finally {
        store.close();
      }
    },
    { clock, time: 'stands' },
  );
}

const wanted = (key: string, productId = 'rice-bowl', quantity = 1): Wanted => ({
  ...{ userId: 'ada', key: `basket-of-${key}-------`, customer: 'Ada', address: 'Pier 1' },
  items: [{ productId, quantity }],
});

test('the same basket is ordered once; the same key with other things is refused; another person has other keys', async () => {
  await withDesk(async ({ desk, call, books }) => {
    const first = await desk.place(wanted('one'), call());
    assert.deepEqual(await desk.place(wanted('one'), call()), first);
    await assert.rejects(desk.place(wanted('one', 'pretzel'), call()), { code: 'KEY_REUSED' });
    const other = await desk.place({ ...wanted('one'), userId: 'eve' }, call());
    assert.notEqual(other.id, first.id);
    assert.equal(books().get('rice-bowl')?.placed, 2);
  });
});

test('ten sendings of one basket at once are one order', async () => {
  await withDesk(async ({ desk, call, books }) => {
    const placed = await Promise.all(Array.from({ length: 10 }, () => desk.place(wanted('ten'), call())));
    assert.equal(new Set(placed.map(({ id }) => id)).size, 1);
    assert.equal(books().get('rice-bowl')?.placed, 1);
  });
});

test('what was refused stays refused under its key, also when there is stock again', async () => {
  await withDesk(async ({ desk, call, shelf, clock }) => {
    await shelf.reserve({ orderId: 'of somebody else', items: [{ productId: 'last-cookie', quantity: 1 }] }, call());
    const refused = { code: 'SOLD_OUT', data: { id: 'last-cookie', left: 0 } };
    await assert.rejects(desk.place(wanted('late', 'last-cookie'), call()), refused);
    await clock.advance(holdMs);
    await assert.rejects(desk.place(wanted('late', 'last-cookie'), call()), refused);
    assert.equal((await desk.place(wanted('anew', 'last-cookie'), call())).status, 'placed');
  });
});

test('a reservation that lapses before it is sold is made anew', async () => {
  await withDesk(async ({ deskWith, shelf, call, clock, books }) => {
    let waits = 2;
    const slow = deskWith({
      commit: (async (input, within) => {
        if (waits-- > 0) await clock.advance(holdMs);
        return shelf.commit(input, within);
      }) as Shelf['commit'],
    });
    assert.equal((await slow.place(wanted('slow'), call())).status, 'placed');
    assert.equal(books().get('rice-bowl')?.placed, 1);
  });
});

test('a lapsed reservation whose stock went to somebody else is an order that is sold out, and sells nothing', async () => {
  await withDesk(async ({ desk, deskWith, shelf, call, clock, books }) => {
    const slow = deskWith({
      commit: (async (input, within) => {
        await clock.advance(holdMs);
        await desk.place(wanted('quick', 'last-cookie'), call());
        return shelf.commit(input, within);
      }) as Shelf['commit'],
    });
    await assert.rejects(slow.place(wanted('slow', 'last-cookie'), call()), { code: 'SOLD_OUT' });
    assert.equal(books().get('last-cookie')?.placed, 1);
  });
});

test('while the catalog cannot be reached an order stays written, and is placed when it can', async () => {
  await withDesk(async ({ desk, call, clock, store, books, partition, heal }) => {
    partition();
    const answer = assert.rejects(desk.place(wanted('patient'), call()), (error: { code: string }) =>
      ['DEADLINE_EXCEEDED', 'CONNECT_FAILED', 'CONNECTION_LOST', 'NO_INSTANCE', 'UNAVAILABLE'].includes(error.code),
    );
    await clock.advance(5_000);
    await answer;
    assert.deepEqual(
      store.history('ada', 10).map(({ status }) => status),
      ['pending'],
    );
    heal();
    await clock.advance(60_000);
    await desk.reconcile(call());
    assert.deepEqual(
      store.history('ada', 10).map(({ status }) => status),
      ['placed'],
    );
    assert.equal(books().get('rice-bowl')?.placed, 1);
  });
});

test('an order that could not be finished for too long is given up: its stock goes back, its retry is told', async () => {
  await withDesk(async ({ desk, deskWith, call, clock, shelf, books }) => {
    const dying = deskWith({ commit: (() => Promise.reject(new Error('power cut'))) as Shelf['commit'] });
    await assert.rejects(dying.place(wanted('forgotten'), call()), /power cut/);
    await clock.advance(giveUpMs + 1);
    await desk.reconcile(call());
    await assert.rejects(desk.place(wanted('forgotten'), call()), { code: 'ORDER_GIVEN_UP' });
    const id = await shelf.commit({ orderId: 'never was' }, call()).catch((error: { code: string }) => error.code);
    assert.equal(id, 'RESERVATION_LAPSED');
    assert.deepEqual([books().get('rice-bowl')?.left, books().get('rice-bowl')?.placed], [40, 0]);
  });
});

test('one that was sold before it was given up is placed, however late', async () => {
  await withDesk(async ({ desk, deskWith, shelf, call, clock, books }) => {
    const dying = deskWith({
      commit: (async (input, within) => {
        await shelf.commit(input, within);
        throw new Error('power cut');
      }) as Shelf['commit'],
    });
    await assert.rejects(dying.place(wanted('lost answer'), call()), /power cut/);
    await clock.advance(giveUpMs + 1);
    await desk.reconcile(call());
    assert.equal((await desk.place(wanted('lost answer'), call())).status, 'placed');
    assert.equal(books().get('rice-bowl')?.placed, 1);
  });
});

test('two desks that finish one order at the same time agree', async () => {
  await withDesk(async ({ deskWith, desk, store, call, clock, books }) => {
    store.write(wanted('shared'), clock.wallNow());
    await Promise.all([desk.reconcile(call()), deskWith({}).reconcile(call()), desk.place(wanted('shared'), call())]);
    assert.equal(books().get('rice-bowl')?.placed, 1);
  });
});

test('a full disk is said clearly, takes nothing, and loses no order that was confirmed', async () => {
  await withDesk(async ({ deskWith, store, orderFile, call, books, desk }) => {
    const full = openOrderStore({ dbFile: orderFile, maxDbBytes: 65_536 });
    const atFullDisk = deskWith({}, full);
    const confirmed: string[] = [];
    const failed = /NOT_STORED: nothing was changed: there is no room left/;
    const order = async (number: number): Promise<void> => {
      const { id } = await atFullDisk.place(wanted(`full ${number}`, 'ginger-tea'), call());
      confirmed.push(id);
    };
    await assert.rejects(async () => {
      for (let number = 0; ; number++) await order(number);
    }, failed);
    assert.ok(confirmed.length > 0);
    for (const id of confirmed) assert.equal(store.find(id, 'ada')?.status, 'placed');
    books(false);
    full.close();
    // Room again: what was written but not confirmed is finished now.
    await desk.reconcile(call());
    assert.equal(store.unfinished().length, 0);
    books();
  });
});
