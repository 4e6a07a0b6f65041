import { command, contract, error, post, put, upload } from 'flotilla/contract';
import { z } from 'zod';
import { Id } from './catalog.ts';

export type Item = z.infer<typeof Item>;
export const Item = z.object({ productId: Id, quantity: z.int().min(1).max(99) });

export type Line = z.infer<typeof Line>;
/** A line of an order with the name and price at the moment of ordering. */
export const Line = z.object({
  productId: z.string(),
  name: z.string(),
  priceCents: z.int().nonnegative(),
  quantity: z.int().min(1),
});

export type Delivered = z.infer<typeof Delivered>;
/** A line of a supplier's delivery note. */
export const Delivered = z.object({
  /** The number of the note: a line of it counts once, however often it is sent. */
  note: Id,
  productId: Id,
  quantity: z.int().min(1).max(10_000),
});

const Lines = z.object({ lines: z.array(Line) });

/** Why an order cannot have its stock, now and whenever it asks again. */
const refusals = {
  PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })),
  SOLD_OUT: error(409, z.object({ id: z.string(), left: z.int() })),
  /** The order gave its stock back itself. */
  RESERVATION_RELEASED: error(409),
};

/** A full disk or a database that cannot be written: nothing has changed. */
const notStored = { NOT_STORED: error(507) };

/**
 * Internal: only `order` takes stock. No route of the gateway leads here.
 *
 * A reservation is named by its order, so each operation may be repeated: it answers what it answered before.
 */
export const stock = contract(
  { name: 'stock', version: 1 },
  {
    /** Takes everything off the shelf, or nothing. It goes back when `commit` does not follow in time. */
    reserve: command({
      in: z.object({ orderId: Id, items: z.array(Item).min(1).max(50) }),
      out: Lines,
      errors: { ...refusals, ...notStored },
      idempotent: true,
      http: put('/stock/reservations/{orderId}'),
    }),
    /** Sells what is held. From then on it is never given back. */
    commit: command({
      in: z.object({ orderId: Id }),
      out: Lines,
      errors: {
        ...refusals,
        ...notStored,
        /** Nothing is held for this order any more: reserve again. */
        RESERVATION_LAPSED: error(409),
      },
      idempotent: true,
      http: post('/stock/reservations/{orderId}/commit'),
    }),
    /** Gives back what is held, for good. What was sold stays sold, and the answer says so. */
    release: command({
      in: z.object({ orderId: Id }),
      out: z.object({ sold: z.boolean() }),
      errors: notStored,
      idempotent: true,
      http: post('/stock/reservations/{orderId}/release'),
    }),
    /** Puts a delivery on the shelf when its list has ended: all of it, or nothing. The answer says what was new. */
    deliver: upload({
      in: Delivered,
      out: z.object({ lines: z.int(), pieces: z.int() }),
      errors: {
        PRODUCT_UNKNOWN: refusals.PRODUCT_UNKNOWN,
        LIST_TOO_LONG: error(413, z.object({ maxLines: z.int() })),
        ...notStored,
      },
    }),
  },
);
