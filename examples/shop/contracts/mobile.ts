import { contract, error, get, query } from 'flotilla/contract';
import { z } from 'zod';
import { Id } from './catalog.ts';
import { Line } from './stock.ts';
import { session, sessionCookie } from './visitor.ts';
import { Card, CategoryPage, Found, History, Home, ProductPage } from './web.ts';

/** The same products as `web` shows, in less: one small picture, a rating without its count, no tags. */
export const SmallCard = Card.omit({ tags: true }).extend({
  picture: Card.shape.picture.pick({ small: true }),
  rating: z.object({ average: z.number() }).nullable(),
});

const Thumbnail = SmallCard.pick({ id: true, name: true, picture: true });

/** At most four products of a category; `count` says how many there are. */
const SmallShelf = CategoryPage.omit({ missing: true }).extend({ products: z.array(SmallCard) });

const SmallHome = Home.extend({ categories: z.array(SmallShelf), popular: z.array(Thumbnail) });

/** The beginning of its description, two related dishes, the beginnings of two reviews. */
const SmallProductPage = ProductPage.extend({
  ...SmallCard.shape,
  related: z.array(Thumbnail),
  reviews: z.array(z.object({ by: z.string(), rating: z.int(), text: z.string() })),
}).omit({ tags: true });

/** The last five orders, without addresses and pictures. */
const SmallHistory = History.extend({
  orders: z.array(
    History.shape.orders.element
      .omit({ address: true })
      .extend({ lines: z.array(Line.pick({ productId: true, name: true, quantity: true })) }),
  ),
});

/** What the shop shows on a small screen. The gateway puts it under `/m`. */
export const mobile = contract(
  { name: 'mobile', version: 1 },
  {
    home: query({ out: SmallHome, http: get('/api/home') }),
    category: query({
      in: z.object({ id: Id }),
      out: CategoryPage.extend({ products: z.array(SmallCard) }),
      errors: { CATEGORY_UNKNOWN: error(404) },
      http: get('/api/categories/{id}'),
    }),
    search: query({
      in: z.object({ text: z.string().trim().min(1).max(100) }),
      out: Found.extend({ products: z.array(SmallCard) }),
      http: get('/api/search'),
    }),
    product: query({
      in: z.object({ id: Id, ...session }),
      out: SmallProductPage,
      errors: { PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })) },
      http: get('/api/products/{id}', { cookie: sessionCookie }),
    }),
    history: query({
      in: z.object(session),
      out: SmallHistory,
      errors: { SIGNED_OUT: error(401) },
      http: get('/api/orders', { cookie: sessionCookie }),
    }),
  },
);
