import { command, contract, error, post } from 'flotilla/contract';
import { z } from 'zod';

export const Item = z.object({ productId: z.string().max(64), quantity: z.int().min(1).max(99) });

/** A line of an order with the name and price at the moment of ordering. */
export const Line = z.object({
  productId: z.string(),
  name: z.string(),
  priceCents: z.int().nonnegative(),
  quantity: z.int().min(1),
});

/** Internal: only `order` takes stock. No route of the gateway leads here. */
export const stock = contract(
  { name: 'stock', version: 1 },
  {
    take: command({
      in: z.object({ orderId: z.string().max(64), items: z.array(Item).min(1).max(50) }),
      out: z.array(Line),
      errors: {
        PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })),
        SOLD_OUT: error(409, z.object({ id: z.string(), left: z.int() })),
      },
      // Taking twice for one order takes once: the order's id is remembered with what was taken.
      idempotent: true,
      http: post('/stock/taken'),
    }),
  },
);
