import { gather, missing, optional, part, trim } from '@flotilla/edge';
import { run, safe, service } from 'flotilla';
import { catalog } from '../contracts/catalog.ts';
import { orders } from '../contracts/order.ts';
import { web } from '../contracts/web.ts';
import { serveFiles } from './storefront.ts';

/** Edge service: gathers what the storefront's page shows and trims it. It keeps nothing itself. */
export const app = service('web');

const products = app.client(catalog, { timeoutMs: 1_500 });
const orderDesk = app.client(orders, { timeoutMs: 4_000 });

const cardShape = { id: true, name: true, priceCents: true } as const;

interface Stocked {
  readonly id: string;
  readonly name: string;
  readonly priceCents: number;
  readonly stock: number;
}

function card(product: Stocked): { id: string; name: string; priceCents: number; available: boolean } {
  return { ...trim(product, cardShape), available: product.stock > 0 };
}

app.handle(web, {
  home: async (_, call) => {
    const page = await gather(call, {
      categories: (c) => products.categories(undefined, c),
      // Without its products the page still shows the way to them.
      assortment: optional((c) => products.products({}, c), [], { timeoutMs: 1_000 }),
    });
    return {
      categories: page.categories.map((category) => ({
        ...category,
        products: page.assortment.filter((product) => product.category === category.id).map(card),
      })),
      missing: missing(page).map((gap) => gap.part),
    };
  },

  product: async ({ id }, call) => {
    const wanted = part((c) => safe(products.product({ id }, c)));
    const related = part({ wanted }, async (c, { wanted: found }) =>
      found.ok ? products.products({ category: found.value.category, limit: 4 }, c) : [],
    );
    const page = await gather(call, { wanted, related: optional(related, [], { timeoutMs: 500 }) });
    if (!page.wanted.ok) {
      if (page.wanted.error.code === 'PRODUCT_UNKNOWN') return call.fail('PRODUCT_UNKNOWN', { id });
      throw page.wanted.error;
    }
    const product = page.wanted.value;
    return {
      ...card(product),
      description: product.description,
      left: product.stock,
      related: page.related.filter((other) => other.id !== id).map(card),
      missing: missing(page).map((gap) => gap.part),
    };
  },

  placeOrder: async (order, call) => {
    const placed = await safe(orderDesk.place(order, call));
    if (placed.ok) return placed.value;
    const { error } = placed;
    if (error.code === 'SOLD_OUT') return call.fail('SOLD_OUT', error.data);
    if (error.code === 'PRODUCT_UNKNOWN') return call.fail('PRODUCT_UNKNOWN', error.data);
    throw error;
  },

  order: async ({ id }, call) => {
    const found = await safe(orderDesk.find({ id }, call));
    if (found.ok) return found.value;
    if (found.error.code === 'ORDER_UNKNOWN') return call.fail('ORDER_UNKNOWN');
    throw found.error;
  },
});

serveFiles(app, {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/orders/{id}': ['index.html', 'text/html; charset=utf-8'],
  '/storefront.css': ['storefront.css', 'text/css; charset=utf-8'],
  '/storefront.js': ['storefront.js', 'text/javascript; charset=utf-8'],
});

if (import.meta.main) await run(app);
