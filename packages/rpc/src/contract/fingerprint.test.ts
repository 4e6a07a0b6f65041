import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as z from 'zod';
import { contract } from './contract.ts';
import { error } from './declared-error.ts';
import { canonicalJson, contractHash, fnv1a64 } from './fingerprint.ts';
import { get } from './http-binding.ts';
import { command, query } from './operation.ts';

describe('FNV-1a', () => {
  // Vectors of draft-eastlake-fnv, Appendix C.
  for (const [text, hash] of [
    ['', 'cbf29ce484222325'],
    ['a', 'af63dc4c8601ec8c'],
    ['foobar', '85944171f73967e8'],
  ] as const) {
    it(`of "${text}"`, () => assert.equal(fnv1a64(text), hash));
  }

  it('in two halves equals the definition in whole integers', () => {
    const naive = (text: string): string => {
      let hash = 0xcbf29ce484222325n;
      for (const byte of new TextEncoder().encode(text))
        hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffff_ffff_ffff_ffffn;
      return hash.toString(16).padStart(16, '0');
    };
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(fnv1a64(text), naive(text))));
  });
});

it('canonical JSON does not depend on the order of members', () => {
  assert.equal(canonicalJson({ b: [1, { d: null, c: undefined }], a: 'x' }), '{"a":"x","b":[1,{"d":null}]}');
  assert.equal(canonicalJson({ a: 'x', b: [1, { d: null }] }), canonicalJson({ b: [1, { d: null }], a: 'x' }));
});

describe('the hash of a contract', () => {
  const Key = z.object({ id: z.string() });
  const hashOf = (operations: Parameters<typeof contract>[1]): string =>
    contractHash(contract({ name: 'catalog', version: 1 }, operations));
  const base = hashOf({ product: query({ in: Key, out: Key }) });

  it('is 16 hexadecimal digits, the same for equal shapes', () => {
    assert.match(base, /^[0-9a-f]{16}$/);
    assert.equal(hashOf({ product: query({ in: z.object({ id: z.string() }), out: Key }) }), base);
  });

  for (const [claim, operations] of Object.entries({
    'its name': { item: query({ in: Key, out: Key }) },
    'its kind': { product: command({ in: Key, out: Key, idempotent: true }) },
    'its input': { product: query({ in: z.object({ id: z.number() }), out: Key }) },
    'its output': { product: query({ in: Key, out: z.object({ id: z.number() }) }) },
    'its address': { product: query({ in: Key, out: Key, http: get('/products/{id}') }) },
    'its errors': { product: query({ in: Key, out: Key, errors: { GONE: error(410) } }) },
  })) {
    it(`changes with ${claim}`, () => assert.notEqual(hashOf(operations), base));
  }
});
