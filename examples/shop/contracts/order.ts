import { command, contract, error, get, post, query } from 'flotilla/contract';
import { z } from 'zod';
import { Item, Line } from './stock.ts';

export const Order = z.object({
  /** Unguessable: whoever has it may see the order. */
  id: z.string(),
  customer: z.string(),
  address: z.string(),
  lines: z.array(Line),
  totalCents: z.int().nonnegative(),
  /** ISO 8601. */
  orderedAt: z.string(),
});

export const NewOrder = z.object({
  customer: z.string().trim().min(1).max(100),
  address: z.string().trim().min(1).max(300),
  items: z.array(Item).min(1).max(50),
});

export const orders = contract(
  { name: 'order', version: 1 },
  {
    place: command({
      in: NewOrder,
      out: Order,
      errors: {
        PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })),
        SOLD_OUT: error(409, z.object({ id: z.string(), left: z.int() })),
      },
      http: post('/orders', { status: 201, location: '/orders/{id}' }),
    }),
    find: query({
      in: z.object({ id: z.string().max(64) }),
      out: Order,
      errors: { ORDER_UNKNOWN: error(404) },
      http: get('/orders/{id}'),
    }),
  },
);
