import { limit, shorten, views } from '@flotilla/edge';
import type { CategoryPage, Found, History, Home, ProductPage } from '../contracts/web.ts';

// What of a page each device gets: the whole of the difference between `web` and `mobile`.

const smallCard = {
  id: true,
  name: true,
  priceCents: true,
  available: true,
  picture: { small: true },
  rating: { average: true },
} as const;

const thumbnail = { id: true, name: true, picture: { small: true } } as const;

export const homeFor = views<Home>()({
  web: true,
  mobile: {
    categories: { id: true, name: true, count: true, products: limit(4, smallCard) },
    popular: thumbnail,
    missing: true,
  },
});

export const categoryFor = views<CategoryPage>()({
  web: true,
  mobile: { id: true, name: true, count: true, products: smallCard, missing: true },
});

export const foundFor = views<Found>()({
  web: true,
  mobile: { text: true, products: limit(12, smallCard), missing: true },
});

export const productFor = views<ProductPage>()({
  web: true,
  mobile: {
    ...smallCard,
    category: true,
    left: true,
    boughtBefore: true,
    missing: true,
    description: shorten(90),
    related: limit(2, thumbnail),
    reviews: limit(2, { by: true, rating: true, text: shorten(80) }),
  },
});

export const historyFor = views<History>()({
  web: true,
  mobile: {
    orders: limit(5, {
      id: true,
      status: true,
      orderedAt: true,
      totalCents: true,
      pieces: true,
      lines: { productId: true, name: true, quantity: true },
    }),
    missing: true,
  },
});
