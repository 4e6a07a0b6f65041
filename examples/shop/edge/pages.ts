import { gather, missing, optional, part, relay } from '@flotilla/edge';
import { type Call, FlotillaError } from 'flotilla';
import type { z } from 'zod';
import type { Found, History, Home, ProductPage, Shelf } from '../contracts/web.ts';
import type { Backends } from './backends.ts';
import { cardOf, cardsOf, pictureOf } from './cards.ts';
import type { SessionInput, Visitors } from './visitors.ts';

type Missing = { readonly missing: string[] };

/** The shop's pages with everything on them; `views.ts` says what of it a device gets. */
export interface Pages {
  home(call: Call): Promise<z.infer<typeof Home>>;
  /** @throws FlotillaError CATEGORY_UNKNOWN */
  category(id: string, call: Call): Promise<z.infer<typeof Shelf> & Missing>;
  search(text: string, call: Call): Promise<z.infer<typeof Found>>;
  /** @throws FlotillaError PRODUCT_UNKNOWN */
  product(id: string, session: SessionInput, call: Call): Promise<z.infer<typeof ProductPage>>;
  /** @throws FlotillaError SIGNED_OUT */
  history(session: SessionInput, call: Call): Promise<z.infer<typeof History>>;
}

/**
 * Each page asks its backends side by side. What it is about has to be there; for everything else something stands in,
 * and `missing` says so.
 */
export function pagesOf({ catalog, reviews, orders, users }: Backends, visitors: Visitors): Pages {
  const ratings = (products: readonly { readonly id: string }[], call: Call) =>
    products.length === 0 ? [] : reviews.ratings({ productIds: products.slice(0, 100).map(({ id }) => id) }, call);

  return {
    async home(call) {
      // Without its products the page still shows the way to them.
      const products = optional((c) => catalog.products({}, c), [], { timeoutMs: 1_000 });
      const page = await gather(call, {
        categories: (c) => catalog.categories(undefined, c),
        products,
        ratings: part({ products }, (c, { products: found }) => ratings(found, c)),
      });
      const categories = page.categories.map((category) => {
        const within = page.products.filter((product) => product.category === category.id);
        return { ...category, products: cardsOf(within, page.ratings), count: within.length };
      });
      return { categories, missing: missingOf(page) };
    },

    async category(id, call) {
      const products = part((c) => catalog.products({ category: id }, c));
      const page = await gather(call, {
        categories: (c) => catalog.categories(undefined, c),
        products,
        ratings: part({ products }, (c, { products: found }) => ratings(found, c)),
      });
      const category = page.categories.find((one) => one.id === id);
      if (!category) throw new FlotillaError('CATEGORY_UNKNOWN', `there is no category "${id}"`, { executed: 'yes' });
      const cards = cardsOf(page.products, page.ratings);
      return { ...category, products: cards, count: cards.length, missing: missingOf(page) };
    },

    async search(text, call) {
      const products = await catalog.search({ text }, call);
      return { text, products: cardsOf(products, await ratings(products, call)), missing: [] };
    },

    async product(id, session, call) {
      const product = part((c) => relay(catalog.product({ id }, c), 'PRODUCT_UNKNOWN'));
      const related = part({ product }, (c, { product: { category } }) => catalog.products({ category, limit: 7 }, c));
      const told = optional((c) => reviews.of({ productId: id }, c), undefined, { timeoutMs: 800 });
      const writers = part({ told }, (c, { told: found }) =>
        found && found.count > 0 ? users.names({ ids: found.reviews.map(({ userId }) => userId) }, c) : [],
      );
      const bought = part(async (c) => {
        const person = await visitors.seen(session, c);
        return person ? (await orders.bought({ userId: person.id, productId: id }, c)).times : null;
      });
      const page = await gather(call, {
        product,
        categories: optional((c) => catalog.categories(undefined, c), [], { timeoutMs: 500 }),
        related: optional(related, [], { timeoutMs: 500 }),
        reviews: told,
        writers: optional(writers, [], { timeoutMs: 500 }),
        boughtBefore: optional(bought, null, { timeoutMs: 800 }),
      });
      const names = new Map(page.writers.map((writer) => [writer.id, writer.name]));
      const { category, description, stock } = page.product;
      return {
        ...cardOf(page.product, page.reviews),
        ...{ description, left: stock, boughtBefore: page.boughtBefore },
        category: page.categories.find((one) => one.id === category) ?? { id: category, name: category },
        related: cardsOf(
          page.related.filter((other) => other.id !== id),
          [],
        ),
        reviews: (page.reviews?.reviews ?? []).map(({ userId, ...review }) => ({
          ...review,
          by: names.get(userId) ?? 'A guest',
        })),
        missing: missingOf(page),
      };
    },

    async history(session, call) {
      const { id: userId } = await visitors.required(session, call);
      const made = part((c) => orders.history({ userId }, c));
      const available = part({ made }, async (c, { made: found }) => {
        const ids = productsOf(found);
        return ids.length === 0 ? [] : catalog.products({ ids }, c);
      });
      const reviewed = part({ made }, async (c, { made: found }): Promise<string[]> => {
        const productIds = productsOf(found);
        return productIds.length === 0 ? [] : reviews.by({ userId, productIds }, c);
      });
      const page = await gather(call, {
        made,
        available: optional(available, undefined, { timeoutMs: 800 }),
        reviewed: optional(reviewed, undefined, { timeoutMs: 800 }),
      });
      const stock = page.available && new Map(page.available.map((product) => [product.id, product.stock]));
      return {
        orders: page.made.map(({ customer: _, items, lines, ...order }) => ({
          ...order,
          pieces: items.reduce((sum, { quantity }) => sum + quantity, 0),
          lines: lines.map((line) => ({
            ...line,
            picture: pictureOf(line.productId),
            available: stock ? (stock.get(line.productId) ?? 0) > 0 : null,
            reviewed: page.reviewed ? page.reviewed.includes(line.productId) : null,
          })),
        })),
        missing: missingOf(page),
      };
    },
  };
}

function missingOf(page: object): string[] {
  return missing(page).map((gap) => gap.part);
}

function productsOf(made: readonly { readonly lines: readonly { readonly productId: string }[] }[]): string[] {
  return [...new Set(made.flatMap(({ lines }) => lines.map(({ productId }) => productId)))].slice(0, 100);
}
