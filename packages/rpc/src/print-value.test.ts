import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printValue } from './print-value.ts';

/** The same value with its members in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value).reverse()) copy[name] = shuffled(member);
  return copy;
}

test('equal values have one text, and different ones have two', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      assert.equal(printValue(one), printValue(shuffled(one)));
      assert.deepEqual(JSON.parse(printValue(one) ?? ''), JSON.parse(JSON.stringify(one)));
      const areEqual =
        JSON.stringify(JSON.parse(printValue(one) ?? '')) === JSON.stringify(JSON.parse(printValue(other) ?? ''));
      assert.equal(printValue(one) === printValue(other), areEqual);
    }),
  );
});

test('what schemas make of JSON is told apart too', () => {
  const values = [
    new Date(0),
    new Date(1),
    1n,
    2n,
    1,
    '1',
    new Map([['a', 1]]),
    new Map([['a', 2]]),
    new Set([1]),
    [1],
    {},
    null,
    undefined,
  ];
  const texts = values.map(printValue);
  assert.equal(new Set(texts).size, values.length, texts.join(' '));
});

test('members that are undefined are not there', () => {
  assert.equal(printValue({ a: undefined, b: 1 }), printValue({ b: 1 }));
});

test('bytes and streams have no text', () => {
  for (const value of [new Uint8Array(1), new Blob([]), new ReadableStream(), { a: [new ArrayBuffer(1)] }, () => 1]) {
    assert.equal(printValue(value), undefined);
  }
});
