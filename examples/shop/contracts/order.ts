import { command, contract, error, get, post, query, stream } from 'flotilla/contract';
import { z } from 'zod';
import { Id } from './catalog.ts';
import { Item, Line } from './stock.ts';

export type Order = z.infer<typeof Order>;
export const Order = z.object({
  id: z.string(),
  /** `pending`: written down, but not confirmed yet. `refused`: something was sold out; nothing was taken. */
  status: z.enum(['placed', 'pending', 'refused']),
  customer: z.string(),
  address: z.string(),
  items: z.array(Item),
  /** With names and prices; empty unless placed. */
  lines: z.array(Line),
  totalCents: z.int().nonnegative(),
  /** ISO 8601. */
  orderedAt: z.string(),
});

/** What the kitchen has to know of an order: neither who pays, nor where it goes. */
export const Ticket = z.object({
  /** Rises with each order that is placed. */
  number: z.int().positive(),
  orderId: z.string(),
  lines: z.array(Line.pick({ productId: true, name: true, quantity: true })),
});

export type NewOrder = z.infer<typeof NewOrder>;
/** What a person fills in. */
export const NewOrder = z.object({
  /** Made by the page for one basket: sent again, it never orders twice. */
  key: z.string().min(16).max(64),
  customer: z.string().trim().min(1).max(100),
  address: z.string().trim().min(1).max(300),
  items: z.array(Item).min(1).max(50),
});

/** Why an order is not placed. Nothing was taken. */
export const orderRefusals = {
  PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })),
  SOLD_OUT: error(409, z.object({ id: z.string(), left: z.int() })),
  /** It could not be completed in time and was given up: it may be ordered anew, with another key. */
  ORDER_GIVEN_UP: error(409),
  /** The key belongs to an order of other things. */
  KEY_REUSED: error(409),
  NOT_STORED: error(507),
};

export const orders = contract(
  { name: 'order', version: 1 },
  {
    place: command({
      in: NewOrder.extend({ userId: Id }),
      out: Order,
      errors: orderRefusals,
      idempotent: true,
      http: post('/orders', { status: 201, location: '/orders/{id}' }),
    }),
    /** Somebody else's order is as unknown as one that never was. */
    find: query({
      in: z.object({ id: Id, userId: Id }),
      out: Order,
      errors: { ORDER_UNKNOWN: error(404) },
      http: get('/orders/{id}'),
    }),
    /** A person's orders, the latest first. */
    history: query({
      in: z.object({ userId: Id, limit: z.int().min(1).max(50).default(20) }),
      out: z.array(Order),
      http: get('/orders'),
    }),
    /**
     * For the kitchen's screen: what was placed after the ticket `after`, then each order as it is placed. It ends when
     * for a while there was none; who comes back with the last number misses nothing.
     */
    kitchen: stream({ in: z.object({ after: z.int().nonnegative().default(0) }), out: Ticket }),
    /** How often a person has bought a product. */
    bought: query({
      in: z.object({ userId: Id, productId: Id }),
      out: z.object({ times: z.int() }),
      http: get('/bought'),
    }),
  },
);
