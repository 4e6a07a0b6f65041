import { randomBytes } from 'node:crypto';
import { run, safe, service, settings, text } from 'flotilla';
import { orders } from '../contracts/order.ts';
import { stock } from '../contracts/stock.ts';
import { openOrderStore } from './order/store.ts';

/** Backend service: orders. It asks the catalog for stock and prices, and keeps what was ordered. */
export const app = service('order', {
  config: settings({ dbFile: text({ default: '.flotilla/data/order.sqlite', describe: 'where the orders are kept' }) }),
});

const shelf = app.client(stock, { timeoutMs: 2_000 });

const store = app.resource(
  'order database',
  ({ dbFile }) => openOrderStore(dbFile),
  (open) => open.close(),
);

app.handle(orders, {
  place: async ({ customer, address, items }, call) => {
    const id = randomBytes(16).toString('base64url'); // 128 bits: nobody guesses another's order
    const taken = await safe(shelf.take({ orderId: id, items }));
    if (!taken.ok) {
      const { error } = taken;
      if (error.code === 'SOLD_OUT') return call.fail('SOLD_OUT', error.data);
      if (error.code === 'PRODUCT_UNKNOWN') return call.fail('PRODUCT_UNKNOWN', error.data);
      throw error;
    }
    const lines = taken.value;
    const totalCents = lines.reduce((sum, line) => sum + line.priceCents * line.quantity, 0);
    const order = { id, customer, address, lines, totalCents, orderedAt: new Date(call.clock.wallNow()).toISOString() };
    store().add(order);
    return order;
  },
  find: async ({ id }, call) => store().find(id) ?? call.fail('ORDER_UNKNOWN'),
});

if (import.meta.main) await run(app);
