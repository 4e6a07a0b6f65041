import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { FlotillaError, formatIdentity, type Identity, identity, parseIdentity } from '@flotilla/core';
import fc from 'fast-check';
import { identities, sampling } from './instance-arbitrary.ts';

interface Golden {
  readonly texts: readonly { readonly text: string; readonly identity: Identity }[];
  readonly longer: readonly { readonly text: string; readonly is: string }[];
  readonly refused: readonly { readonly text: string; readonly reason: string }[];
}

const golden = JSON.parse(readFileSync(new URL('golden/identity.json', import.meta.url), 'utf8')) as Golden;

suite('identity: golden texts', () => {
  for (const { text, identity: expected } of golden.texts) {
    test(`"${text}" is read and written`, () => {
      assert.deepEqual(parseIdentity(text), expected);
      assert.equal(formatIdentity(expected), text);
    });
  }
  for (const { text, is } of golden.longer) {
    test(`"${text}" is the longer text of "${is}"`, () => {
      assert.equal(formatIdentity(parseIdentity(text)), is);
    });
  }
  for (const { text, reason } of golden.refused) {
    test(`${JSON.stringify(text)} is refused for its ${reason}`, () => {
      assert.throws(
        () => parseIdentity(text),
        (thrown) =>
          thrown instanceof FlotillaError && thrown.code === 'INVALID_INPUT' && thrown.detail.includes(reason),
      );
    });
  }
});

test('every part ends at 255 characters', () => {
  const long = 'x'.repeat(255);
  const parts = { namespace: long, group: long, version: long };
  assert.deepEqual(parseIdentity(formatIdentity(identity(long, parts))), { service: long, ...parts });
  for (const part of ['namespace', 'group', 'version'] as const) {
    assert.throws(() => identity('orders', { [part]: `${long}x` }), { code: 'INVALID_INPUT' });
  }
  assert.throws(() => identity(`${long}x`), { code: 'INVALID_INPUT' });
});

test('every identity survives its text, and two identities never share one', () => {
  fc.assert(
    fc.property(identities, identities, (one, other) => {
      assert.deepEqual(parseIdentity(formatIdentity(one)), one);
      const same = JSON.stringify(one) === JSON.stringify(other);
      assert.equal(formatIdentity(one) === formatIdentity(other), same);
    }),
    sampling(250),
  );
});
