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

export function backendsOf(app: App<EdgeSettings>): Backends {
  return {
    catalog: app.client(catalog, {
      timeoutMs: 1_500,
      operations: {
        // They hardly ever change, and every page shows them: also while the catalog is away.
        categories: { cache: { enabled: true, ttlMs: 60_000 } },
        // How many are left has to be true, so nothing is kept; but who asks at the same moment may share the answer.
        products: { singleFlight: { enabled: true } },
      },
    }),
    reviews: app.client(reviews, { timeoutMs: 1_500 }),
    // Placing an order asks the catalog twice, and may wait for its disk.
    orders: app.client(orders, { timeoutMs: 4_000 }),
    // A password takes its time, and others may be in line before it.
    users: app.client(users, { timeoutMs: 4_000 }),
  };
}
