import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeZnodeName, encodeZnodeName } from './znode-name.ts';

/** As Java's `URLEncoder` writes them. */
const rows: readonly [text: string, name: string][] = [
  ['dubbo://h:1/a b~', 'dubbo%3A%2F%2Fh%3A1%2Fa+b%7E'],
  ["!'()~*._-", '%21%27%28%29%7E*._-'],
  ['a+b', 'a%2Bb'],
  ['100%', '100%25'],
  ['ä€😀', '%C3%A4%E2%82%AC%F0%9F%98%80'],
  ['', ''],
];

for (const [text, name] of rows) {
  test(`"${text}" is "${name}"`, () => {
    assert.equal(encodeZnodeName(text), name);
    assert.equal(decodeZnodeName(name), text);
  });
}

test('any text survives, and a naive form encoder writes the same', () => {
  const naive = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(decodeZnodeName(encodeZnodeName(text)), text);
      assert.equal(encodeZnodeName(text), naive(text));
    }),
  );
});

test('what UTF-8 cannot hold, or is not form-encoded, is refused', () => {
  assert.throws(() => encodeZnodeName('\ud800'), { code: 'INVALID_INPUT' });
  for (const name of ['%', '%zz', '%ff', '%C3']) {
    assert.throws(() => decodeZnodeName(name), { code: 'MALFORMED_REQUEST', detail: /form-encoded/ }, name);
  }
});
