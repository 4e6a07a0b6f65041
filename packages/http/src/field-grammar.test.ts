import assert from 'node:assert/strict';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isFieldName, isFieldValue, quoted, splitOutsideQuotes, unquoted } from './field-grammar.ts';

suite('the grammar of fields', () => {
  test('names are tokens', () => {
    for (const name of ['a', 'X-Y', '__proto__', "!#$%&'*+-.^_`|~"]) assert.equal(isFieldName(name), true, name);
    for (const name of ['', ' a', 'a ', 'a b', 'a:', 'a\n', 'é', 'a\0', 'a'.repeat(257)])
      assert.equal(isFieldName(name), false, name);
  });

  test('values hold no line end, no control character but the tab, and no blank at their ends', () => {
    for (const value of ['', 'a', 'a b', 'a\tb', '"', 'é', '\xff']) assert.equal(isFieldValue(value), true, value);
    for (const value of [' ', ' a', 'a ', '\ta', 'a\n', 'a\rb', 'a\r\nb: c', 'a\0', '\x7f', '€', '\ud83d']) {
      assert.equal(isFieldValue(value), false, JSON.stringify(value));
    }
  });

  test('Node.js sends whatever is accepted here', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 8 }), (text) => {
        if (isFieldName(text)) validateHeaderName(text);
        if (isFieldValue(text)) validateHeaderValue('x', text);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  test('quoting and splitting undo each other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[ -~]{0,8}$/), { minLength: 1 }),
        fc.constantFrom(',', ';'),
        (texts, separator) => {
          const list = texts.map(quoted).join(separator);
          assert.deepEqual(splitOutsideQuotes(list, separator as ',' | ';').map(unquoted), texts);
        },
      ),
      { seed: 2 },
    );
  });
});
