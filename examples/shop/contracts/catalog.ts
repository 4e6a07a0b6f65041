import { contract, error, get, notify, query } from 'flotilla/contract';
import { z } from 'zod';

export type Category = z.infer<typeof Category>;
export const Category = z.object({ id: z.string(), name: z.string() });

export type Product = z.infer<typeof Product>;
export const Product = z.object({
  id: z.string(),
  category: z.string(),
  name: z.string(),
  description: z.string(),
  /** What people ask about a dish: `vegan`, `spicy`. */
  tags: z.array(z.string()),
  /** In cents: money is never a fraction. */
  priceCents: z.int().nonnegative(),
  /** How many can be ordered now. */
  stock: z.int().nonnegative(),
});

export const Id = z.string().min(1).max(64);

/** What anyone inside the fleet may ask about the assortment. */
export const catalog = contract(
  { name: 'catalog', version: 1 },
  {
    categories: query({ out: z.array(Category), http: get('/categories') }),
    products: query({
      in: z.object({
        category: Id.optional(),
        /** Only these; unknown ones are left out. */
        ids: z.array(Id).max(100).optional(),
        limit: z.int().min(1).max(100).default(100),
      }),
      out: z.array(Product),
      http: get('/products'),
    }),
    /** Products of which every word of `text` is found in the name, the description, a tag or the category. */
    search: query({
      in: z.object({ text: z.string().trim().min(1).max(100), limit: z.int().min(1).max(100).default(40) }),
      out: z.array(Product),
      http: get('/search'),
    }),
    product: query({
      in: z.object({ id: Id }),
      out: Product,
      errors: { PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })) },
      http: get('/products/{id}'),
    }),
    /** Somebody looks at a product. One that gets lost is no harm, so nobody waits for an answer. */
    viewed: notify({ in: z.object({ id: Id }) }),
    /** Ids of the products that were looked at most. */
    popular: query({
      in: z.object({ limit: z.int().min(1).max(20) }),
      out: z.array(z.string()),
      http: get('/popular'),
    }),
  },
);
