import type { z } from 'zod';
import type { Product } from '../contracts/catalog.ts';
import type { Card } from '../contracts/web.ts';

type Rating = { readonly average: number; readonly count: number };

/** A product as a card shows it. */
export function cardOf(product: z.infer<typeof Product>, rating: Rating | undefined): z.infer<typeof Card> {
  const { id, name, priceCents, tags, stock } = product;
  const rated = rating && rating.count > 0 ? { average: rating.average, count: rating.count } : null;
  return { id, name, priceCents, tags, available: stock > 0, picture: pictureOf(id), rating: rated };
}

export function cardsOf(
  products: readonly z.infer<typeof Product>[],
  ratings: readonly (Rating & { readonly productId: string })[],
): z.infer<typeof Card>[] {
  const byProduct = new Map(ratings.map((rating) => [rating.productId, rating]));
  return products.map((product) => cardOf(product, byProduct.get(product.id)));
}

/** Where the pictures of a product are served. */
export function pictureOf(productId: string): { large: string; small: string } {
  const name = encodeURIComponent(productId);
  return { large: `/pictures/large/${name}.svg`, small: `/pictures/small/${name}.svg` };
}
