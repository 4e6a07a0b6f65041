import { gather, missing, optional, part, relay } from '@flotilla/edge';
import { type Call, FlotillaError } from 'flotilla';
import type { Category, Product } from '../contracts/catalog.ts';
import type { Card, CategoryPage, Found, History, Home, ProductPage } from '../contracts/web.ts';
import type { Backends } from './backends.ts';
import { cardOf, pictureOf } from './cards.ts';
import type { Session, Visitors } from './visitors.ts';

/** The shop's pages with everything on them; `views.ts` says what of it a device gets. */
export interface Pages {
  home(call: Call): Promise<Home>;
  /** @throws FlotillaError CATEGORY_UNKNOWN */
  category(id: string, call: Call): Promise<CategoryPage>;
  search(text: string, call: Call): Promise<Found>;
  /** @throws FlotillaError PRODUCT_UNKNOWN */
  product(id: string, session: Session, call: Call): Promise<ProductPage>;
  /** @throws FlotillaError SIGNED_OUT */
  history(session: Session, call: Call): Promise<History>;
}

/**
 * Each page asks its backends side by side. What it is about has to be there; for everything else something stands in,
 * and `missing` says so.
 */
export function pagesOf({ catalog, reviews, orders, users }: Backends, visitors: Visitors): Pages {
  /** Each card asks for its own stars: they travel in one call. */
  const cardsOf = (products: readonly Product[], call: Call): Promise<Card[]> =>
    Promise.all(
      products.map(async (product) => cardOf(product, await reviews.rating({ productId: product.id }, call))),
    );
  const shelfOf = async (category: Category, products: readonly Product[], call: Call) => ({
    ...category,
    products: await cardsOf(products, call),
    count: products.length,
  });

  return {
    async home(call) {
      const page = await gather(call, {
        categories: (c) => catalog.categories(undefined, c),
        // Without its products the page still shows the way to them.
        products: optional((c) => catalog.products({}, c), [], { timeoutMs: 1_000 }),
        popular: (c) => catalog.popular({ limit: 3 }, c),
      });
      const within = ({ id }: Category) => page.products.filter(({ category }) => category === id);
      return {
        categories: await Promise.all(page.categories.map((category) => shelfOf(category, within(category), call))),
        popular: page.popular.flatMap((id) => page.products.filter((one) => one.id === id)).map((one) => cardOf(one)),
        missing: missingOf(page),
      };
    },

    async category(id, call) {
      const page = await gather(call, {
        categories: (c) => catalog.categories(undefined, c),
        products: (c) => catalog.products({ category: id }, c),
      });
      const category = page.categories.find((one) => one.id === id);
      if (!category) throw new FlotillaError('CATEGORY_UNKNOWN', `there is no category "${id}"`, { executed: 'yes' });
      return { ...(await shelfOf(category, page.products, call)), missing: missingOf(page) };
    },

    async search(text, call) {
      return { text, products: await cardsOf(await catalog.search({ text }, call), call), missing: [] };
    },

    async product(id, session, call) {
      const product = part((c) => relay(catalog.product({ id }, c), 'PRODUCT_UNKNOWN'));
      const related = part({ product }, (c, { product: { category } }) => catalog.products({ category, limit: 7 }, c));
      const told = optional((c) => reviews.of({ productId: id }, c), undefined, { timeoutMs: 800 });
      const signed = part({ told }, (c, { told: found }) =>
        Promise.all(
          (found?.reviews ?? []).map(async ({ userId, ...review }) => ({
            ...review,
            by: (await users.name({ id: userId }, c)).name ?? 'A guest',
          })),
        ),
      );
      const bought = part(async (c) => {
        const person = await visitors.seen(session, c);
        return person ? (await orders.bought({ userId: person.id, productId: id }, c)).times : null;
      });
      const page = await gather(call, {
        ...{ product, signed },
        categories: optional((c) => catalog.categories(undefined, c), [], { timeoutMs: 500 }),
        related: optional(related, [], { timeoutMs: 500 }),
        reviews: told,
        boughtBefore: optional(bought, null, { timeoutMs: 800 }),
      });
      const { category, description, stock } = page.product;
      return {
        ...cardOf(page.product, page.reviews),
        ...{ description, left: stock, boughtBefore: page.boughtBefore, reviews: page.signed },
        category: page.categories.find((one) => one.id === category) ?? { id: category, name: category },
        related: page.related.filter((other) => other.id !== id).map((other) => cardOf(other)),
        missing: missingOf(page),
      };
    },

    async history(session, call) {
      const { id: userId } = await visitors.required(session, call);
      const made = part((c) => orders.history({ userId }, c));
      const bought = part({ made }, (_, { made: found }) => {
        const ids = new Set(found.flatMap(({ lines }) => lines.map(({ productId }) => productId)));
        return [...ids].slice(0, 100);
      });
      const available = part({ bought }, async (c, { bought: ids }) =>
        ids.length === 0 ? [] : catalog.products({ ids }, c),
      );
      const reviewed = part(
        { bought },
        async (c, { bought: productIds }): Promise<string[]> =>
          productIds.length === 0 ? [] : reviews.by({ userId, productIds }, c),
      );
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
            reviewed: page.reviewed?.includes(line.productId) ?? null,
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
