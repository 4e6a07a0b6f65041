import { command, contract, error, get, put, query } from 'flotilla/contract';
import { z } from 'zod';
import { Id } from './catalog.ts';

export const Review = z.object({
  userId: z.string(),
  rating: z.int().min(1).max(5),
  text: z.string(),
  /** Whether the writer had bought the product. */
  bought: z.boolean(),
  /** ISO 8601. */
  writtenAt: z.string(),
});

export type Rating = z.infer<typeof Rating>;
/** Of all reviews of a product: from 1 to 5, rounded to a tenth; without any, `average` is 0. */
export const Rating = z.object({ average: z.number(), count: z.int() });

/** What a person writes. */
export const NewReview = z.object({
  productId: Id,
  rating: z.int().min(1).max(5),
  text: z.string().trim().min(1).max(1_000),
});

export const reviews = contract(
  { name: 'review', version: 1 },
  {
    /** The latest first. */
    of: query({
      in: z.object({ productId: Id, limit: z.int().min(1).max(50).default(10) }),
      out: Rating.extend({ reviews: z.array(Review) }),
      http: get('/products/{productId}/reviews'),
    }),
    rating: query({ in: z.object({ productId: Id }), out: Rating, http: get('/products/{productId}/rating') }),
    /** The same for many: clients gather into it what they ask side by side. */
    ratings: query({
      in: z.object({ items: z.array(z.object({ productId: Id })).max(100) }),
      out: z.object({ items: z.array(z.object({ value: Rating })) }),
    }),
    /** Which of these products a person has reviewed. */
    by: query({
      in: z.object({ userId: Id, productIds: z.array(Id).max(100) }),
      out: z.array(z.string()),
      http: get('/reviewers/{userId}'),
    }),
    /** One review of a product per person: writing again replaces it. */
    write: command({
      in: NewReview.extend({ userId: Id, bought: z.boolean() }),
      out: Review,
      errors: { NOT_STORED: error(507) },
      idempotent: true,
      http: put('/products/{productId}/reviews/{userId}'),
    }),
  },
);
