import { contract, error, get, query } from 'flotilla/contract';
import { z } from 'zod';

export const Category = z.object({ id: z.string(), name: z.string() });

export const Product = z.object({
  id: z.string(),
  category: z.string(),
  name: z.string(),
  description: z.string(),
  /** In cents: money is never a fraction. */
  priceCents: z.int().nonnegative(),
  /** How many can be ordered now. */
  stock: z.int().nonnegative(),
});

/** What anyone inside the fleet may ask about the assortment. */
export const catalog = contract(
  { name: 'catalog', version: 1 },
  {
    categories: query({ out: z.array(Category), http: get('/categories') }),
    products: query({
      in: z.object({ category: z.string().max(64).optional(), limit: z.int().min(1).max(100).default(100) }),
      out: z.array(Product),
      http: get('/products'),
    }),
    product: query({
      in: z.object({ id: z.string().max(64) }),
      out: Product,
      errors: { PRODUCT_UNKNOWN: error(404, z.object({ id: z.string() })) },
      http: get('/products/{id}'),
    }),
  },
);
