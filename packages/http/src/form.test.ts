import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { encodeForm, parseForm } from './form.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

suite('parseForm', () => {
  const rows: [claim: string, form: string, pairs: [string, string][]][] = [
    ['an empty form has no fields', '', []],
    ['a blank is + or %20', 'a+b=c%20d', [['a b', 'c d']]],
    [
      'a name may come more than once',
      'a=1&b=2&a=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ],
    ],
    [
      'a name alone has an empty value',
      'a&b=',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    ['a value may hold =', 'a=b=c', [['a', 'b=c']]],
    ['a value may have no name', '=v', [['', 'v']]],
    ['empty pairs are nothing', '&&a=1&', [['a', '1']]],
    ['escapes are UTF-8', 'n=caf%C3%A9', [['n', 'café']]],
    ['bytes that a sender left unescaped are UTF-8 too', 'n=café', [['n', 'café']]],
  ];
  for (const [claim, form, pairs] of rows) test(claim, () => assert.deepEqual(parseForm(bytes(form), 10), pairs));

  const bad: [claim: string, form: string | Uint8Array, detail: RegExp][] = [
    ['half an escape', 'a=1&b=%4', /field "b" of the form has an escape/],
    ['an escape of no digits', 'b=%zz', /field "b"/],
    ['an escape in a name', '%=1', /the name of field 1/],
    ['an escape that is no UTF-8', 'b=%ff', /field "b"/],
    ['an overlong escape', 'b=%c0%af', /field "b"/],
    ['a byte that is no UTF-8', Uint8Array.of(0x61, 0x3d, 0xff), /not valid UTF-8/],
  ];
  for (const [claim, form, detail] of bad) {
    test(`${claim} is refused, not replaced`, () => {
      const given = typeof form === 'string' ? bytes(form) : form;
      assert.throws(() => parseForm(given, 10), { code: 'MALFORMED_REQUEST', detail });
    });
  }

  test('one field more than the limit is refused by its name', () => {
    assert.equal(parseForm(bytes('a=1&a=2'), 2).length, 2);
    assert.throws(() => parseForm(bytes('a=1&a=2&a=3'), 2), {
      code: 'BODY_TOO_LARGE',
      httpStatus: 413,
      detail: 'the form has more than the limit of 2 fields',
      data: { maxFields: 2 },
    });
  });

  test('what is written is read again, as the platform reads it', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((value) => value.isWellFormed());
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (pairs) => {
        const form = encodeForm(pairs);
        assert.deepEqual(parseForm(bytes(form), 8), pairs);
        assert.deepEqual([...new URLSearchParams(form)], pairs);
      }),
    );
  });

  test('anything is read as the platform reads it, or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', '&', '+', '%', '4', '1', 'C', '3', 'é') }), (form) => {
        let pairs: unknown;
        try {
          pairs = parseForm(bytes(form), 1_000);
        } catch (thrown) {
          assert.equal((thrown as { code?: string }).code, 'MALFORMED_REQUEST');
          return;
        }
        assert.deepEqual(pairs, [...new URLSearchParams(form)]);
      }),
    );
  });
});
