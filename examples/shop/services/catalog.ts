import { run, service, settings, text } from 'flotilla';
import { catalog } from '../contracts/catalog.ts';
import { stock } from '../contracts/stock.ts';
import { openCatalogStore } from './catalog/store.ts';

/** Backend service: products, categories and stock. It alone opens its database; its copies share the file. */
export const app = service('catalog', {
  config: settings({
    dbFile: text({ default: '.flotilla/data/catalog.sqlite', describe: 'where the products are kept' }),
  }),
});

const store = app.resource(
  'catalog database',
  ({ dbFile }) => openCatalogStore(dbFile),
  (open) => open.close(),
);

app.handle(catalog, {
  categories: async () => store().categories(),
  products: async ({ category, limit }) => store().products(category, limit),
  product: async ({ id }, call) => store().product(id) ?? call.fail('PRODUCT_UNKNOWN', { id }),
});

app.handle(stock, {
  take: async ({ orderId, items }, call) => {
    const taking = store().take(orderId, items);
    if (taking.kind === 'unknown') return call.fail('PRODUCT_UNKNOWN', { id: taking.id });
    if (taking.kind === 'soldOut') return call.fail('SOLD_OUT', { id: taking.id, left: taking.left });
    return taking.lines;
  },
});

if (import.meta.main) await run(app);
