import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { jsonSchemaOf } from './schema.ts';
import { fieldsOf, shapeOfSchemas, type TextShape } from './text-shape.ts';

describe('a JSON Schema says what a text may stand for', () => {
  const root = { $defs: { Id: { type: 'integer' }, Loop: { $ref: '#/$defs/Loop' }, 'a/b': { type: 'boolean' } } };
  const rows: readonly (readonly [string, unknown, Partial<TextShape> | undefined])[] = [
    ['nothing said: text', {}, { types: ['string'] }],
    ['true: text', true, { types: ['string'] }],
    ['one type', { type: 'boolean' }, { types: ['boolean'] }],
    ['several types', { type: ['integer', 'null'] }, { types: ['integer', 'null'] }],
    ['a constant', { const: 3 }, { types: [], literals: [3] }],
    ['an enumeration', { type: 'string', enum: ['a', 'b'] }, { types: [], literals: ['a', 'b'] }],
    ['a union with null', { anyOf: [{ type: 'number' }, { type: 'null' }] }, { types: ['number', 'null'] }],
    ['a union of constants', { anyOf: [{ const: 'a' }, { const: 3 }] }, { types: [], literals: ['a', 3] }],
    [
      'all of: only members that say a type count',
      { allOf: [{ type: 'number' }, { minimum: 3 }] },
      { types: ['number'] },
    ],
    ['a reference', { $ref: '#/$defs/Id' }, { types: ['integer'] }],
    ['a reference with an escaped slash', { $ref: '#/$defs/a~1b' }, { types: ['boolean'] }],
    ['a reference to nothing allows text', { $ref: '#/$defs/None' }, { types: ['string'] }],
    ['a reference to another document allows text', { $ref: 'https://x/y' }, { types: ['string'] }],
    ['a list', { type: 'array', items: { type: 'number' } }, { types: ['number'], list: 'always' }],
    ['a list of anything', { type: 'array' }, { types: ['string'], list: 'always' }],
    [
      'a tuple',
      { type: 'array', prefixItems: [{ type: 'number' }, { const: 'x' }] },
      { types: ['number'], literals: ['x'], list: 'always' },
    ],
    [
      'one or a list',
      { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      { types: ['string'], list: 'repeated' },
    ],
    ['an object says no text', { type: 'object' }, undefined],
    ['a list of objects says no text', { type: 'array', items: { type: 'object' } }, undefined],
    ['an object or null says no text', { anyOf: [{ type: 'object' }, { type: 'null' }] }, undefined],
    ['an object or a text is the text', { anyOf: [{ type: 'object' }, { type: 'string' }] }, { types: ['string'] }],
    ['a reference without end says no text', { $ref: '#/$defs/Loop' }, undefined],
  ];
  for (const [claim, schema, expected] of rows) {
    it(claim, () => {
      const whole = expected && { literals: [], list: 'never', required: false, ...expected };
      assert.deepEqual(shapeOfSchemas([schema], root, false), whole);
    });
  }
});

describe('the fields of an object', () => {
  const names = (schema: z.ZodType): [fields: string[], required: string[]] => {
    const fields = fieldsOf(jsonSchemaOf(schema, 'input') ?? {});
    return [[...(fields?.schemas.keys() ?? [])].sort(), [...(fields?.required ?? [])].sort()];
  };

  it('are its properties', () => {
    assert.deepEqual(names(z.object({ a: z.string(), b: z.number().optional() })), [['a', 'b'], ['a']]);
  });

  it('are those of every branch of a union, none of them required', () => {
    const either = z.union([z.object({ kind: z.literal('a'), x: z.string() }), z.object({ kind: z.literal('b') })]);
    assert.deepEqual(names(either), [['kind', 'x'], []]);
  });

  it('are those of both parts of an intersection', () => {
    const both = z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() }));
    assert.deepEqual(names(both), [
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('do not exist for anything else', () => {
    assert.equal(fieldsOf({ type: 'string' }), undefined);
    assert.equal(fieldsOf({ $ref: '#' }), undefined);
  });
});
