import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limit, shorten, trim } from './trim.ts';
import { views } from './views.ts';

interface Review {
  rating: number;
  text: string;
}
interface Product {
  id: string;
  name: string;
  price: { amount: number; currency: string };
  reviews?: Review[];
  seller: { name: string; secret: string } | null;
}

const product: Product = {
  id: '7',
  name: 'Lamp',
  price: { amount: 12, currency: 'EUR' },
  reviews: [1, 2, 3, 4].map((rating) => ({ rating, text: `${rating} stars` })),
  seller: { name: 'Ann', secret: 'margin' },
};

test('only the fields that are named are left, at any depth', () => {
  assert.deepEqual(trim(product, { id: true, price: { amount: true }, seller: { name: true } }), {
    id: '7',
    price: { amount: 12 },
    seller: { name: 'Ann' },
  });
});

test('the shape of a list is the shape of its elements', () => {
  assert.deepEqual(trim([product], { reviews: { rating: true } }), [
    { reviews: [{ rating: 1 }, { rating: 2 }, { rating: 3 }, { rating: 4 }] },
  ]);
});

test('a limit keeps the first elements, trimmed', () => {
  assert.deepEqual(trim(product, { reviews: limit(2, { rating: true }) }), { reviews: [{ rating: 1 }, { rating: 2 }] });
  assert.deepEqual(trim(product, { reviews: limit(1) }), { reviews: [{ rating: 1, text: '1 stars' }] });
  assert.deepEqual(trim(product, { reviews: limit(0) }), { reviews: [] });
  assert.deepEqual(trim(product, { reviews: limit(99) }).reviews?.length, 4);
});

test('a limit within a limit is that of the inner lists', () => {
  const grid = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ];
  assert.deepEqual(trim({ grid }, { grid: limit(2, limit(1)) }), { grid: [[1], [4]] });
});

test('what is absent stays absent, what is null stays null', () => {
  const bare: Product = { id: '7', name: 'Lamp', price: { amount: 12, currency: 'EUR' }, seller: null };
  const trimmed = trim(bare, { id: true, reviews: limit(2), seller: { name: true } });
  assert.deepEqual(trimmed, { id: '7', seller: null });
  assert.equal(Object.hasOwn(trimmed, 'reviews'), false);
  assert.equal(trim(null as Product | null, { id: true }), null);
});

test('a text is cut at a whole word, and says that it was', () => {
  const rows = [
    ['Warm rice, roasted carrots', 26, 'Warm rice, roasted carrots'],
    ['Warm rice, roasted carrots', 25, 'Warm rice, roasted…'],
    ['Warm rice, roasted carrots', 12, 'Warm rice…'],
    ['Donaudampfschiff fahrt', 8, 'Donauda…'],
    ['a', 1, 'a'],
    ['ab', 1, '…'],
    ['soup 🍜🍜', 7, 'soup…'],
    ['🍜🍜🍜', 4, '🍜…'],
  ] as const;
  for (const [text, maxLength, expected] of rows) {
    assert.equal(trim({ text }, { text: shorten(maxLength) }).text, expected);
  }
  assert.deepEqual(trim({ notes: ['long enough', 'short'] }, { notes: limit(2, shorten(6)) }).notes, [
    'long…',
    'short',
  ]);
  assert.throws(() => shorten(0), RangeError);
});

test('a text that is cut is never longer than allowed, and half a character is never left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, maxLength) => {
      const cut = trim({ text }, { text: shorten(maxLength) }).text;
      return (
        cut.length <= maxLength &&
        (!text.isWellFormed() || cut.isWellFormed()) &&
        (cut === text) === (text.length <= maxLength || cut === text)
      );
    }),
  );
});

test('the value itself is not touched', () => {
  const before = structuredClone(product);
  trim(product, { reviews: limit(1, { rating: true }) });
  assert.deepEqual(product, before);
});

test('only own fields are read, and none that could pollute', () => {
  const hostile = JSON.parse('{"__proto__": {"admin": true}, "constructor": {"x": 1}, "id": "7"}');
  const shape = JSON.parse('{"__proto__": true, "constructor": true, "toString": true, "id": true}');
  const trimmed = trim(hostile, shape) as Record<string, unknown>;
  assert.deepEqual(Object.keys(trimmed), ['id']);
  assert.equal(Object.getPrototypeOf(trimmed), Object.prototype);
  assert.equal(trimmed['admin'], undefined);
});

test('a limit that is no number of elements is refused', () => {
  assert.throws(() => limit(-1), /^RangeError: count must be a whole number from 0 on, got -1$/);
  assert.throws(() => limit(1.5), /^RangeError: count/);
});

test('trimming twice changes nothing more, and invents no field', () => {
  const plain = { noNullPrototype: true };
  const element = fc.record({ d: fc.jsonValue() }, plain);
  const anything = fc.array(fc.record({ a: fc.jsonValue(), b: fc.jsonValue(), c: fc.array(element) }, plain));
  fc.assert(
    fc.property(anything, (value) => {
      const shape = { a: true, c: limit(2, { d: true }) } as const;
      const once = trim(value, shape);
      assert.deepEqual(trim(once, shape), once);
      for (const [index, { a, c }] of once.entries()) {
        assert.equal(a, value[index]?.a);
        assert.deepEqual(c, value[index]?.c.slice(0, 2));
        assert.deepEqual(Object.keys(once[index] ?? {}), ['a', 'c']);
      }
    }),
  );
});

test('each device gets its view', () => {
  const productFor = views<Product>()({ web: true, mobile: { id: true, reviews: limit(1, { rating: true }) } });
  assert.equal(productFor('web', product), product);
  assert.deepEqual(productFor('mobile', product), { id: '7', reviews: [{ rating: 1 }] });
});

test('a device without a view is refused by name', () => {
  const productFor = views<Product>()({ web: true, mobile: { id: true } });
  for (const device of ['watch', 'toString']) {
    assert.throws(() => productFor(device as 'web', product), {
      name: 'RangeError',
      message: `there is no view for "${device}"; there are "web", "mobile"`,
    });
  }
});
