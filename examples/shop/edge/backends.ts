import { type App, type Client, settings, url } from 'flotilla';
import { catalog } from '../contracts/catalog.ts';
import { orders } from '../contracts/order.ts';
import { reviews } from '../contracts/review.ts';
import { users } from '../contracts/user.ts';

/** What every edge service is told. */
export const edgeSettings = settings({
  publicUrl: url({
    optional: true,
    restart: true,
    describe: 'origin of the pages, https://shop.example; without it, only loopback may sign in and order',
  }),
});

export interface EdgeSettings {
  readonly publicUrl: string | undefined;
}

/** Whom the edge services ask. They keep nothing themselves. */
export interface Backends {
  readonly catalog: Client<typeof catalog>;
  readonly reviews: Client<typeof reviews>;
  readonly orders: Client<typeof orders>;
  readonly users: Client<typeof users>;
}

/** How long they wait, what they keep and what they ask twice stands in `flotilla.yaml`, under `clients`. */
export function backendsOf(app: App<EdgeSettings>): Backends {
  return {
    catalog: app.client(catalog),
    // A card without its stars is a card: nobody need be told.
    reviews: app.client(reviews, { fallback: { ratings: { value: [] } } }),
    orders: app.client(orders),
    users: app.client(users),
  };
}
