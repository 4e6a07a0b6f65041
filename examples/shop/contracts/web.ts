import { command, contract, error, get, post, query } from 'flotilla/contract';
import { z } from 'zod';
import { Category } from './catalog.ts';
import { NewOrder, Order } from './order.ts';

/** A product as a card on the page shows it. */
export const Card = z.object({ id: z.string(), name: z.string(), priceCents: z.int(), available: z.boolean() });

export const Home = z.object({
  categories: z.array(Category.extend({ products: z.array(Card) })),
  /** Parts of the page that could not be had in time. */
  missing: z.array(z.string()),
});

export const ProductPage = Card.extend({
  description: z.string(),
  left: z.int(),
  related: z.array(Card),
  missing: z.array(z.string()),
});

/** What the storefront's page asks for. The only contract that the gateway opens. */
export const web = contract(
  { name: 'web', version: 1 },
  {
    home: query({ out: Home, http: get('/api/home') }),
    product: query({
      in: z.object({ id: z.string().max(64) }),
      out: ProductPage,
      errors: { PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })) },
      http: get('/api/products/{id}'),
    }),
    placeOrder: command({
      in: NewOrder,
      out: Order,
      errors: {
        PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })),
        SOLD_OUT: error(409, z.object({ id: z.string(), left: z.int() })),
      },
      http: post('/api/orders', { status: 201, location: '/api/orders/{id}' }),
    }),
    order: query({
      in: z.object({ id: z.string().max(64) }),
      out: Order,
      errors: { ORDER_UNKNOWN: error(404) },
      http: get('/api/orders/{id}'),
    }),
  },
);
