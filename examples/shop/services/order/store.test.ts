import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withNew } from '../../test/folder.ts';
import { openOrderStore, type Wanted } from './store.ts';

const withStore = withNew(openOrderStore);

const wanted = (userId: string, key: string): Wanted => ({
  ...{ userId, key, customer: 'Ada', address: 'Pier 1' },
  items: [{ productId: 'pretzel', quantity: 2 }],
});
const lines = [{ productId: 'pretzel', quantity: 2, name: 'Butter pretzel', priceCents: 340 }];

test('people see their own orders, the latest first, and never another person’s', async () => {
  await withStore((store) => {
    const first = store.write(wanted('ada', 'a'), 1_000);
    const second = store.write(wanted('ada', 'b'), 2_000);
    const other = store.write(wanted('eve', 'a'), 3_000);
    assert.deepEqual(
      store.history('ada', 10).map(({ id }) => id),
      [second.id, first.id],
    );
    assert.deepEqual(
      store.history('ada', 1).map(({ id }) => id),
      [second.id],
    );
    assert.equal(store.find(first.id, 'ada')?.id, first.id);
    assert.equal(store.find(other.id, 'ada'), undefined);
    assert.equal(store.find('no', 'ada'), undefined);
  });
});

test('an order has bought its products when it is placed, not before', async () => {
  await withStore((store) => {
    const { id } = store.write(wanted('ada', 'a'), 1_000);
    assert.equal(store.bought('ada', 'pretzel'), 0);
    store.place(id, lines);
    store.place(id, lines);
    assert.equal(store.bought('ada', 'pretzel'), 1);
    assert.equal(store.bought('eve', 'pretzel'), 0);
  });
});

test('what was placed is not refused afterwards', async () => {
  await withStore((store) => {
    const { id } = store.write(wanted('ada', 'a'), 1_000);
    store.place(id, lines);
    const after = store.refuse(id, { code: 'ORDER_GIVEN_UP' });
    assert.deepEqual([after.status, after.refusal], ['placed', undefined]);
    assert.deepEqual(store.unfinished(), []);
  });
});

test('the oldest orders are finished first', async () => {
  await withStore((store) => {
    for (const [key, at] of [
      ['late', 300],
      ['early', 100],
      ['then', 200],
    ] as const)
      store.write(wanted('ada', key), at);
    assert.deepEqual(
      store.unfinished().map(({ key }) => key),
      ['early', 'then', 'late'],
    );
  });
});
