import { contract, error, get, query } from 'flotilla/contract';
import { z } from 'zod';
import { Category, Id } from './catalog.ts';
import { Order } from './order.ts';
import { Review } from './review.ts';
import { Line } from './stock.ts';
import { session, sessionCookie } from './visitor.ts';

export type Card = z.infer<typeof Card>;
/** A product as a card shows it. */
export const Card = z.object({
  id: z.string(),
  name: z.string(),
  priceCents: z.int(),
  available: z.boolean(),
  tags: z.array(z.string()),
  /** Addresses of its pictures, on this shop. */
  picture: z.object({ large: z.string(), small: z.string() }),
  /** Null: nobody has rated it, or that cannot be had now. */
  rating: z.object({ average: z.number(), count: z.int() }).nullable(),
});

/** Parts that could not be had in time, by name. */
const missing = { missing: z.array(z.string()) };

const Shelf = Category.extend({ products: z.array(Card), /** With those that are not shown. */ count: z.int() });

export type Home = z.infer<typeof Home>;
export const Home = z.object({
  categories: z.array(Shelf),
  /** What people look at most; empty where that cannot be had. */
  popular: z.array(Card),
  ...missing,
});

export type CategoryPage = z.infer<typeof CategoryPage>;
export const CategoryPage = Shelf.extend(missing);

export type Found = z.infer<typeof Found>;
export const Found = z.object({ text: z.string(), products: z.array(Card), ...missing });

export type ProductPage = z.infer<typeof ProductPage>;
export const ProductPage = Card.extend({
  category: Category,
  description: z.string(),
  left: z.int(),
  related: z.array(Card),
  reviews: z.array(Review.omit({ userId: true }).extend({ by: z.string() })),
  /** How often the visitor has bought it; null for somebody who is not signed in. */
  boughtBefore: z.int().nullable(),
  ...missing,
});

export type History = z.infer<typeof History>;
export const History = z.object({
  orders: z.array(
    Order.omit({ customer: true, items: true }).extend({
      /** Dishes, all of their pieces counted. */
      pieces: z.int(),
      lines: z.array(
        Line.extend({
          picture: Card.shape.picture,
          /** Whether it can be ordered again; null where that cannot be had now. */
          available: z.boolean().nullable(),
          /** Whether its buyer has reviewed it; null where that cannot be had now. */
          reviewed: z.boolean().nullable(),
        }),
      ),
    }),
  ),
  ...missing,
});

/** What the storefront shows on a large screen. */
export const web = contract(
  { name: 'web', version: 1 },
  {
    home: query({ out: Home, http: get('/api/home') }),
    category: query({
      in: z.object({ id: Id }),
      out: CategoryPage,
      errors: { CATEGORY_UNKNOWN: error(404) },
      http: get('/api/categories/{id}'),
    }),
    search: query({ in: z.object({ text: z.string().trim().min(1).max(100) }), out: Found, http: get('/api/search') }),
    product: query({
      in: z.object({ id: Id, ...session }),
      out: ProductPage,
      errors: { PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })) },
      http: get('/api/products/{id}', { cookie: sessionCookie }),
    }),
    history: query({
      in: z.object(session),
      out: History,
      errors: { SIGNED_OUT: error(401) },
      http: get('/api/orders', { cookie: sessionCookie }),
    }),
  },
);
