import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withNew } from '../../test/folder.ts';
import { openReviewStore } from './store.ts';

const withStore = withNew(openReviewStore);

const review = (userId: string, rating: number, writtenAt: number) => ({
  ...{ userId, rating, writtenAt, text: `${rating} of 5`, bought: false },
});

test('a product has the average of its reviews, rounded to a tenth, and none without any', async () => {
  await withStore((store) => {
    assert.deepEqual(store.rating('new dish'), { average: 0, count: 0 });
    for (const [userId, rating] of [
      ['ada', 5],
      ['bob', 4],
      ['eve', 4],
    ] as const)
      store.write('new dish', review(userId, rating, 1));
    assert.deepEqual(store.rating('new dish'), { average: 4.3, count: 3 });
  });
});

test('one person reviews a product once: writing again replaces it', async () => {
  await withStore((store) => {
    store.write('new dish', review('ada', 1, 1_000));
    store.write('new dish', { ...review('ada', 5, 2_000), bought: true });
    assert.deepEqual(store.of('new dish', 10), [{ ...review('ada', 5, 2_000), bought: true }]);
  });
});

test('the latest come first, and no more than are asked for', async () => {
  await withStore((store) => {
    for (const [userId, at] of [
      ['ada', 2],
      ['bob', 3],
      ['eve', 1],
    ] as const)
      store.write('new dish', review(userId, 3, at));
    assert.deepEqual(
      store.of('new dish', 2).map(({ userId }) => userId),
      ['bob', 'ada'],
    );
  });
});

test('it knows which of some products a person has reviewed', async () => {
  await withStore((store) => {
    store.write('a', review('ada', 3, 1));
    store.write('b', review('bob', 3, 1));
    assert.deepEqual(store.by('ada', ['a', 'b', 'c']), ['a']);
  });
});
