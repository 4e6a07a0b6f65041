import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { coerceText, coerceTexts, formatTexts } from './coerce.ts';
import { shapeOfType, type TextScalar, type TextShape } from './text-shape.ts';

function shape(types: readonly TextScalar[], more: Partial<TextShape> = {}): TextShape {
  return { types, literals: [], list: 'never', required: false, ...more };
}

describe('a text becomes what its schema allows', () => {
  const rows: readonly (readonly [claim: string, text: string, shape: TextShape, value: unknown])[] = [
    ['text stays text', '12', shape(['string']), '12'],
    ['text wins over number', '12', shape(['number', 'string']), '12'],
    ['a whole number', '12', shape(['integer']), 12],
    ['a negative number', '-3', shape(['integer']), -3],
    ['an exponent', '1.5e3', shape(['number']), 1500],
    ['zero', '0', shape(['number']), 0],
    ['a leading zero is no number', '012', shape(['number']), '012'],
    ['a plus sign is no number', '+1', shape(['number']), '+1'],
    ['hexadecimal is no number', '0x10', shape(['number']), '0x10'],
    ['blanks are no number', ' 1', shape(['number']), ' 1'],
    ['NaN is no number', 'NaN', shape(['number']), 'NaN'],
    ['Infinity is no number', 'Infinity', shape(['number']), 'Infinity'],
    ['too large for a number', '1e999', shape(['number']), '1e999'],
    ['an integer that would be rounded stays text', '9007199254740993', shape(['integer']), '9007199254740993'],
    ['the largest safe integer', '9007199254740991', shape(['integer']), 9007199254740991],
    ['a fraction stays text for an integer', '1.5', shape(['integer']), '1.5'],
    ['true', 'true', shape(['boolean']), true],
    ['false', 'false', shape(['boolean']), false],
    ['1 is no boolean', '1', shape(['boolean']), '1'],
    ['TRUE is no boolean', 'TRUE', shape(['boolean']), 'TRUE'],
    ['empty is null where null is allowed', '', shape(['number', 'null']), null],
    ['empty is a text where text is allowed', '', shape(['string', 'null']), ''],
    ['empty stays empty without null', '', shape(['number']), ''],
    ['an enumerated number', '2', shape([], { literals: [1, 2] }), 2],
    ['an enumerated text before a number', '2', shape([], { literals: [2, '2'] }), '2'],
    ['an enumerated boolean', 'true', shape([], { literals: [true] }), true],
    ['a text that is not enumerated', '3', shape([], { literals: [1, 2] }), '3'],
    ['an enumerated null', '', shape([], { literals: [null, 1] }), null],
  ];
  for (const [claim, text, allowed, value] of rows) {
    it(claim, () => assert.deepEqual(coerceText(text, allowed), value));
  }
});

describe('the texts of one field', () => {
  const rows: readonly (readonly [string, readonly string[], TextShape, unknown])[] = [
    ['absent', [], shape(['string']), undefined],
    ['a list that must be there is empty', [], shapeOfType('string[]'), []],
    ['one element of a list', ['1'], shapeOfType('number[]'), [1]],
    ['several elements', ['1', 'x'], shapeOfType('number[]'), [1, 'x']],
    ['one value where a list is also allowed', ['1'], shape(['number'], { list: 'repeated' }), 1],
    ['several where a list is also allowed', ['1', '2'], shape(['number'], { list: 'repeated' }), [1, 2]],
    ['repeated where one is allowed: the validator refuses the list', ['1', '2'], shape(['number']), [1, 2]],
  ];
  for (const [claim, texts, allowed, value] of rows) {
    it(claim, () => assert.deepEqual(coerceTexts(texts, allowed), value));
  }
});

describe('a value becomes texts', () => {
  const rows: readonly (readonly [string, unknown, TextShape | undefined, readonly string[] | undefined])[] = [
    ['undefined is left out', undefined, undefined, []],
    ['a list is repeated', ['a', 'b'], undefined, ['a', 'b']],
    ['a number', 1.5, undefined, ['1.5']],
    ['a boolean', false, undefined, ['false']],
    ['what has a JSON form', new Date(0), undefined, ['1970-01-01T00:00:00.000Z']],
    ['null where empty text is null', null, shape(['number', 'null']), ['']],
    ['null where empty text is a text', null, shape(['string', 'null']), undefined],
    ['an object', {}, undefined, undefined],
    ['NaN', Number.NaN, undefined, undefined],
  ];
  for (const [claim, value, allowed, texts] of rows) {
    it(claim, () => assert.deepEqual(formatTexts(value, allowed), texts));
  }
});

it('what is written as text is read back as it was', () => {
  const scalar = fc.oneof(
    fc.tuple(fc.constant(shape(['string'])), fc.string()),
    fc.tuple(fc.constant(shape(['integer'])), fc.maxSafeInteger()),
    fc.tuple(fc.constant(shape(['number', 'null'])), fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }))),
    fc.tuple(fc.constant(shape(['boolean'])), fc.boolean()),
  );
  fc.assert(
    fc.property(scalar, ([allowed, value]) => {
      const texts = formatTexts(value, allowed);
      assert.ok(texts);
      assert.deepEqual(coerceTexts(texts, allowed), Object.is(value, -0) ? 0 : value);
    }),
  );
});

it('a list that must be there is read back as it was, the empty one too', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (list) => {
      const allowed = shapeOfType('integer[]');
      assert.deepEqual(coerceTexts(formatTexts(list, allowed) ?? ['?'], allowed), list);
    }),
  );
});
