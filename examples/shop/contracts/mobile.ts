import { contract, error, get, query } from 'flotilla/contract';
import { z } from 'zod';
import { Category, Id } from './catalog.ts';
import { sessionCookies, sessionFields } from './visitor.ts';

/** The same products as `web` shows, in less: one small picture, a rating without its count, no tags. */
export const SmallCard = z.object({
  id: z.string(),
  name: z.string(),
  priceCents: z.int(),
  available: z.boolean(),
  picture: z.object({ small: z.string() }),
  rating: z.object({ average: z.number() }).nullable(),
});

const missing = { missing: z.array(z.string()) };

/** At most four products of a category; `count` says how many there are. */
export const SmallShelf = Category.extend({ products: z.array(SmallCard), count: z.int() });

export const SmallProductPage = SmallCard.extend({
  category: Category,
  /** Its beginning. */
  description: z.string(),
  left: z.int(),
  /** At most two. */
  related: z.array(SmallCard.pick({ id: true, name: true, picture: true })),
  /** At most two, shortened. */
  reviews: z.array(z.object({ by: z.string(), rating: z.int(), text: z.string() })),
  boughtBefore: z.int().nullable(),
  ...missing,
});

/** The last five orders, without addresses and pictures. */
export const SmallHistory = z.object({
  orders: z.array(
    z.object({
      id: z.string(),
      status: z.enum(['placed', 'pending', 'refused']),
      orderedAt: z.string(),
      totalCents: z.int(),
      pieces: z.int(),
      lines: z.array(z.object({ productId: z.string(), name: z.string(), quantity: z.int() })),
    }),
  ),
  ...missing,
});

/** What the shop shows on a small screen. The gateway puts it under `/m`. */
export const mobile = contract(
  { name: 'mobile', version: 1 },
  {
    home: query({ out: z.object({ categories: z.array(SmallShelf), ...missing }), http: get('/api/home') }),
    category: query({
      in: z.object({ id: Id }),
      out: SmallShelf.extend(missing),
      errors: { CATEGORY_UNKNOWN: error(404) },
      http: get('/api/categories/{id}'),
    }),
    search: query({
      in: z.object({ text: z.string().trim().min(1).max(100) }),
      out: z.object({ text: z.string(), products: z.array(SmallCard), ...missing }),
      http: get('/api/search'),
    }),
    product: query({
      in: z.object({ id: Id, ...sessionFields }),
      out: SmallProductPage,
      errors: { PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })) },
      http: get('/api/products/{id}', { cookie: sessionCookies }),
    }),
    history: query({
      in: z.object(sessionFields),
      out: SmallHistory,
      errors: { SIGNED_OUT: error(401) },
      http: get('/api/orders', { cookie: sessionCookies }),
    }),
  },
);
