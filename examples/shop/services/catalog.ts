import { FlotillaError, run, service, settings } from 'flotilla';
import { catalog } from '../contracts/catalog.ts';
import { type Delivered, stock } from '../contracts/stock.ts';
import type { Reservation } from './catalog/reservation.ts';
import { openCatalog } from './catalog/store.ts';
import { databaseSettings } from './database.ts';

/** Backend service: products, categories and stock. It alone opens its database; its copies share the file. */
export const app = service('catalog', { config: settings(databaseSettings('catalog')) });

const store = app.resource('catalog database', openCatalog, (open) => open.close());

/** Page views are many, and none of them matters much: they are counted here, and written down now and then. */
const views = app.resource('page views', () => new Map<string, number>());
const maxViewed = 10_000;

/** The longest delivery note. */
const maxLines = 10_000;

app.handle(catalog, {
  categories: async () => store().categories(),
  products: async ({ category, ids, limit }) =>
    ids ? store().some(ids.slice(0, limit)) : store().products(category, limit),
  search: async ({ text, limit }) => store().search(text, limit),
  product: async ({ id }, call) => store().product(id) ?? call.fail('PRODUCT_UNKNOWN', { id }),
  viewed: ({ id }) => {
    const times = views().get(id) ?? 0;
    if (times > 0 || views().size < maxViewed) views().set(id, times + 1);
  },
  popular: async ({ limit }) => store().popular(limit),
});

app.handle(stock, {
  reserve: async ({ orderId, items }, call) => {
    const made = store().shelf.wish(orderId, { wish: 'reserve', items }, call.clock.wallNow());
    return linesOf(made);
  },
  commit: async ({ orderId }, call) => {
    const made = store().shelf.wish(orderId, { wish: 'commit' }, call.clock.wallNow());
    if (made.state === 'none' || made.state === 'lapsed') return call.fail('RESERVATION_LAPSED');
    return linesOf(made);
  },
  release: async ({ orderId }, call) => {
    const made = store().shelf.wish(orderId, { wish: 'release' }, call.clock.wallNow());
    return { sold: made.state === 'sold' };
  },
  deliver: async (delivered, call) => {
    const lines: Delivered[] = [];
    for await (const line of delivered) {
      if (lines.push(line) > maxLines) return call.fail('LIST_TOO_LONG', { maxLines });
    }
    const added = store().shelf.deliver(lines);
    return { lines: added.length, pieces: added.reduce((sum, { quantity }) => sum + quantity, 0) };
  },
});

app.repeat('page views', { everyMs: 5_000 }, () => {
  if (views().size > 0) store().countViews(views());
  views().clear();
});
app.repeat('stock that nobody came for', { everyMs: 5_000 }, (call) => store().shelf.sweep(call.clock.wallNow()));

/** @throws FlotillaError a refusal of the contract */
function linesOf(made: Reservation) {
  if (made.state === 'held' || made.state === 'sold') return { lines: [...made.lines] };
  if (made.state !== 'refused') throw refused('RESERVATION_RELEASED', 'this order gave its stock back');
  const { kind, ...data } = made.refusal;
  if (kind === 'unknown') throw refused('PRODUCT_UNKNOWN', `there is no product "${data.id}"`, data);
  throw refused('SOLD_OUT', `not enough of "${data.id}" is left`, data);
}

function refused(code: string, detail: string, data?: unknown): FlotillaError {
  return new FlotillaError(code, detail, { data, executed: 'yes' });
}

if (import.meta.main) await run(app);
