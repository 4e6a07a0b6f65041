import type { App, Client } from 'flotilla';
import { catalog } from '../contracts/catalog.ts';
import { orders } from '../contracts/order.ts';
import { reviews } from '../contracts/review.ts';
import { users } from '../contracts/user.ts';

/** Whom the edge services ask. They keep nothing themselves. */
export interface Backends {
  readonly catalog: Client<typeof catalog>;
  readonly reviews: Client<typeof reviews>;
  readonly orders: Client<typeof orders>;
  readonly users: Client<typeof users>;
}

/**
 * How long they wait, what they keep and what they ask twice stands in `flotilla.yaml`, under `clients`. Here stands what
 * only the code knows: what becomes one call when many ask side by side, and what a page shows when nobody can answer.
 */
export function backendsOf<S>(app: App<S>): Backends {
  return {
    catalog: app.client(catalog, { fallback: { popular: { value: [] } } }),
    // A card without its stars is a card: nobody need be told.
    reviews: app.client(reviews, {
      batches: { rating: { into: 'ratings', windowMs: 0 } },
      fallback: { rating: { value: { average: 0, count: 0 } } },
    }),
    orders: app.client(orders),
    users: app.client(users, {
      batches: { name: { into: 'names', windowMs: 0 } },
      fallback: { name: { value: { name: null } } },
    }),
  };
}
