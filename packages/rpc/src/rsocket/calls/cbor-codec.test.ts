import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { PayloadView } from '../payload-view.ts';
import { cborCodec } from './cbor-codec.ts';

function payload(data: Uint8Array): PayloadView {
  const view = new PayloadView();
  view.bytes = Buffer.from(data);
  view.dataEnd = data.byteLength;
  return view;
}

const decode = (hex: string): unknown => cborCodec.decode(payload(Buffer.from(hex, 'hex')));

// First, while nothing has loaded it.
it('without its package a connection is refused with the package to install', () => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'cborg') return next(specifier, context);
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });
  try {
    assert.throws(() => cborCodec.load?.(), {
      code: 'PACKAGE_MISSING',
      message: /"application\/cbor" needs the package cborg: npm install cborg; or connect with application\/json/,
    });
  } finally {
    hooks.deregister();
  }
  cborCodec.load?.();
});

describe('what Java writes is read as the JSON that it stands for', () => {
  for (const [name, hex, value] of [
    ['a map of indefinite length', 'bf626964182aff', { id: 42 }],
    ['a text in chunks, as Jackson writes long ones', '827f61616162ff7fff', ['ab', '']],
    ['a character that two chunks share', '7f61c361bcff', '\u00fc'],
    ['bytes in chunks', '5f4101420203ff', 'AQID'],
    ['a replacement character that was sent', '63efbfbd', '\ufffd'],
    ['a list of indefinite length', '9f0102ff', [1, 2]],
    ['half, single and double precision', '83f93c00fa3fc00000fb3ff8000000000000', [1, 1.5, 1.5]],
    ['bytes', '4401020304', 'AQIDBA=='],
    ['undefined', 'f7', null],
    ['a big whole number', 'c243010000', 65_536],
    ['a negative one', 'c3420100', -257],
    ['a decimal number', 'c48221196ab3', 273.15 * 10 ** 0],
    ['what says that it is CBOR', 'd9d9f7a0', {}],
    ['nothing', '', undefined],
  ] as const) {
    it(name, () => assert.deepEqual(decode(hex), value));
  }
});

describe('what JSON cannot hold, or nobody should send, is refused', () => {
  for (const [name, hex, message] of [
    ['a whole number that a double does not hold', '1bffffffffffffffff', /safe integer/],
    ['a big one of them', 'c249010000000000000000', /beyond 2\^53/],
    ['no number', 'f97e00', /NaN/],
    ['infinity', 'f97c00', /Infinity/],
    ['a name that changes a prototype', 'a1695f5f70726f746f5f5fa0', /"__proto__"/],
    ['a name twice', 'a2616101616102', /repeat map key "a"/],
    ['a name that is a number', 'a10102', /non-string keys/],
    ['a tag', 'c074323031332d30332d32315432303a30343a30305a', /tag not supported/],
    ['a list that announces what it does not have', '9b0000ffffffffffff', /./],
    ['a text that announces what it does not have', '7affffffff', /./],
    ['something cut off', 'a26161', /./],
    ['something behind it', '0101', /./],
    ['no UTF-8', '62c328', /./],
    ['a text in chunks that does not end', '7f6161', /cut off/],
    ['a text in chunks with a number in it', '7f616101ff', /something else/],
    ['chunks in a chunk', '7f7f6161ffff', /something else/],
  ] as const) {
    it(name, () => assert.throws(() => decode(hex), { code: 'MALFORMED_REQUEST', message }));
  }

  it('what is nested a hundred thousand times', () => {
    assert.throws(() => decode(`${'81'.repeat(100_000)}01`), { code: 'MALFORMED_REQUEST', message: /nested/ });
  });

  it('noise, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        try {
          JSON.stringify(cborCodec.decode(payload(bytes)));
        } catch (thrown) {
          assert.equal((thrown as { code?: string }).code, 'MALFORMED_REQUEST');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

it('a long text is written in chunks of whole characters, which Jackson reads', () => {
  for (const text of ['x'.repeat(20_000), '\u00fc\u{1F4DA}'.repeat(3_001), 'y'.repeat(3_999), 'z'.repeat(4_001)]) {
    const written = Buffer.from(cborCodec.encode({ text, n: 1 }) as Uint8Array);
    assert.equal(written.includes(Buffer.from([0x7f, 0x7a])), Buffer.byteLength(text) > 4_000);
    assert.deepEqual(cborCodec.decode(payload(written)), { text, n: 1 });
  }
});

it('JSON comes back as it went', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!text.includes('"__proto__":')); // is refused, as in JSON: see below
      const plain = JSON.parse(text) as unknown;
      const written = cborCodec.encode(plain) as Uint8Array;
      assert.deepEqual(cborCodec.decode(payload(written)), plain);
    }),
  );
  assert.deepEqual(cborCodec.decode(payload(cborCodec.encode({ a: undefined, at: new Date(0) }) as Uint8Array)), {
    at: '1970-01-01T00:00:00.000Z',
  });
  const hostile = cborCodec.encode(JSON.parse('{"a":[{"__proto__":{"admin":true}}]}')) as Uint8Array;
  assert.throws(() => cborCodec.decode(payload(hostile)), /a member named "__proto__" is not accepted/);
});
