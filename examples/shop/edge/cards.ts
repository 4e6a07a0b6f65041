import type { Product } from '../contracts/catalog.ts';
import type { Rating } from '../contracts/review.ts';
import type { Card } from '../contracts/web.ts';

/** A product as a card shows it. */
export function cardOf({ id, name, priceCents, tags, stock }: Product, rating?: Rating): Card {
  const rated = rating && rating.count > 0 ? { average: rating.average, count: rating.count } : null;
  return { id, name, priceCents, tags, available: stock > 0, picture: pictureOf(id), rating: rated };
}

/** Where the pictures of a product are served. */
export function pictureOf(productId: string): Card['picture'] {
  const name = encodeURIComponent(productId);
  return { large: `/pictures/large/${name}.svg`, small: `/pictures/small/${name}.svg` };
}
