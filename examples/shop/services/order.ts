import { run, service, settings, sleep } from 'flotilla';
import { orders } from '../contracts/order.ts';
import { stock } from '../contracts/stock.ts';
import { databaseSettings } from './database.ts';
import { openDesk } from './order/desk.ts';
import { openOrderStore, type Purchase } from './order/store.ts';

/** Backend service: orders. It asks the catalog for stock and prices, and keeps what was ordered. */
export const app = service('order', { config: settings(databaseSettings('order')) });

const shelf = app.client(stock);
const store = app.resource('order database', openOrderStore, (open) => open.close());
const desk = app.resource('order desk', () => openDesk(store(), shelf));

/** The copies share the database and nothing else, so the kitchen's stream looks there for what any of them placed. */
const lookEveryMs = 1_000;

/** Sooner than `drainMs`: a screen keeps no process from leaving. */
const quietLooks = 20;

app.handle(orders, {
  place: async (wanted, call) => orderOf(await desk().place(wanted, call)),
  find: async ({ id, userId }, call) => {
    const found = store().find(id, userId);
    return found ? orderOf(found) : call.fail('ORDER_UNKNOWN');
  },
  history: async ({ userId, limit }) => store().history(userId, limit).map(orderOf),
  async *kitchen({ after }, call) {
    let last = after;
    for (let quiet = 0; quiet < quietLooks; quiet++) {
      for (const ticket of store().tickets(last, 50)) {
        yield ticket;
        [last, quiet] = [ticket.number, 0];
      }
      await sleep(lookEveryMs, call);
    }
  },
  bought: async ({ userId, productId }) => ({ times: store().bought(userId, productId) }),
});

app.repeat('unfinished orders', { everyMs: 5_000 }, (call) => desk().reconcile(call));

function orderOf({ id, status, customer, address, items, lines, writtenAt }: Purchase) {
  const totalCents = lines.reduce((sum, line) => sum + line.priceCents * line.quantity, 0);
  const orderedAt = new Date(writtenAt).toISOString();
  return { id, status, customer, address, items, lines, totalCents, orderedAt };
}

if (import.meta.main) await run(app);
