/** Claims about inferred types: this file compiles, or they are wrong. It is never run. */
import type { Call } from '@flotilla/core';
import { gather, limit, optional, part, shorten, trim, views } from '../src/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function claim<_T extends true>(): void {}

interface Product {
  id: string;
  name: string;
  category: string;
  readonly price: { amount: number; currency: string };
  reviews?: Review[];
  seller: { name: string } | null;
}
interface Review {
  rating: number;
  text: string;
  author: { id: string; name: string };
}

declare const call: Call;
declare const api: {
  product(input: { id: string }, call: Call): Promise<Product>;
  related(input: { category: string }, call: Call): Promise<Product[]>;
  reviews(input: { id: string }, call: Call): Promise<Review[]>;
};

export async function gathersWithFlatTypes(): Promise<void> {
  const product = part((c) => api.product({ id: '1' }, c));
  const related = part({ product }, (c, values) => {
    claim<Equal<typeof values, { readonly product: Product }>>();
    return api.related({ category: values.product.category }, c);
  });
  const page = await gather(call, {
    product,
    related: optional(related, []),
    reviews: optional((c) => api.reviews({ id: '1' }, c), [], { timeoutMs: 200 }),
    rating: optional(
      part({ product }, () => 4.5),
      undefined,
    ),
    count: optional(
      async () => 3,
      (error) => error.httpStatus,
    ),
    now: () => 7,
  });
  claim<
    Equal<
      typeof page,
      {
        product: Product;
        related: Product[];
        reviews: Review[];
        rating: number | undefined;
        count: number;
        now: number;
      }
    >
  >();

  // @ts-expect-error a fallback of another type is part of the result's type, so this is no number
  const wrong: number = (await gather(call, { a: optional(async () => 1, 'none') })).a;
  // @ts-expect-error only parts and functions of a call can be gathered
  await gather(call, { a: 1 });
  // @ts-expect-error a part is given only what it needs
  part({ product }, (_call, { reviews }) => reviews);
  return void wrong;
}

export function trimsWithFlatTypes(product: Product, products: Product[]): void {
  const small = trim(product, {
    id: true,
    price: { amount: true },
    reviews: limit(3, { rating: true, author: { name: true } }),
    seller: { name: true },
  });
  claim<
    Equal<
      typeof small,
      {
        id: string;
        readonly price: { amount: number };
        reviews?: { rating: number; author: { name: string } }[];
        seller: { name: string } | null;
      }
    >
  >();
  const names = trim(products, { name: true });
  claim<Equal<typeof names, { name: string }[]>>();
  const short = trim(product, { name: shorten(9), reviews: limit(1, { text: shorten(9) }) });
  claim<Equal<typeof short, { name: string; reviews?: { text: string }[] }>>();
  const whole = trim(product, true);
  claim<Equal<typeof whole, Product>>();

  // @ts-expect-error no such field
  trim(product, { id: true, nmae: true });
  // @ts-expect-error no such field of a field
  trim(product, { id: true, price: { amount: true, sum: true } });
  // @ts-expect-error no such field of a list's elements
  trim(product, { id: true, reviews: limit(3, { rating: true, stars: true }) });
  // @ts-expect-error a field is named or not; false would say both
  trim(product, { id: false });
  // @ts-expect-error only a text can be cut
  trim(product, { price: { amount: shorten(9) } });
  // @ts-expect-error a text has no fields
  trim(product, { id: { length: true } });
}

interface Category {
  name: string;
  size: number;
  parent?: Category;
  children: Category[];
}
type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export function trimsRecursiveTypes(category: Category, row: { id: string; extra: JsonValue; grid: number[][] }): void {
  const tree = trim(category, { name: true, parent: { name: true }, children: { name: true, children: limit(2) } });
  claim<
    Equal<typeof tree, { name: string; parent?: { name: string }; children: { name: string; children: Category[] }[] }>
  >();
  const trimmed = trim(row, { extra: true, grid: limit(2, limit(2)) });
  claim<Equal<typeof trimmed, { extra: JsonValue; grid: number[][] }>>();
}

export function viewsWithFlatTypes(product: Product, device: 'web' | 'mobile'): void {
  const productFor = views<Product>()({ web: true, mobile: { id: true, reviews: limit(1) } });
  const mobile = productFor('mobile', product);
  claim<Equal<typeof mobile, { id: string; reviews?: Review[] }>>();
  const either = productFor(device, product);
  claim<Equal<typeof either.id, string>>();
  // @ts-expect-error no such view
  productFor('watch', product);
  // @ts-expect-error no such field
  views<Product>()({ mobile: { id: true, nmae: true } });
}
