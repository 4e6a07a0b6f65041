import { run, service, settings } from 'flotilla';
import { reviews } from '../contracts/review.ts';
import { databaseSettings } from './database.ts';
import { openReviewStore, type Review } from './review/store.ts';

/** Backend service: what people think of products. It knows people and products by their ids alone. */
export const app = service('review', { config: settings(databaseSettings('review')) });

const store = app.resource('review database', openReviewStore, (open) => open.close());

app.handle(reviews, {
  of: async ({ productId, limit }) => ({
    ...store().rating(productId),
    reviews: store().of(productId, limit).map(reviewOf),
  }),
  rating: async ({ productId }) => store().rating(productId),
  ratings: async ({ items }) => ({ items: items.map(({ productId }) => ({ value: store().rating(productId) })) }),
  by: async ({ userId, productIds }) => store().by(userId, productIds),
  write: async ({ productId, ...written }, call) => {
    const review = { ...written, writtenAt: call.clock.wallNow() };
    store().write(productId, review);
    return reviewOf(review);
  },
});

function reviewOf({ userId, rating, text, bought, writtenAt }: Review) {
  return { userId, rating, text, bought, writtenAt: new Date(writtenAt).toISOString() };
}

if (import.meta.main) await run(app);
