import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageShape } from './message-shape.ts';

/** `path: types, ! when required, = values, # when closed`. */
function told(schema: unknown): Record<string, string> {
  return Object.fromEntries(
    Array.from(messageShape(schema), ([path, { required, types, values, closed }]) => [
      path,
      `${[...types].sort().join('|')}${required ? '!' : ''}${values ? `=${[...values].join()}` : ''}${closed ? '#' : ''}`,
    ]),
  );
}

const rows: readonly [name: string, schema: unknown, expected: Record<string, string>][] = [
  [
    'fields, lists and maps',
    {
      type: 'object',
      properties: {
        id: { type: 'string' },
        tags: { type: 'array', items: { type: 'string' } },
        lines: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] } },
        prices: { type: 'object', additionalProperties: { type: 'number' } },
      },
      required: ['id', 'lines'],
      additionalProperties: false,
    },
    {
      '': 'object!#',
      id: 'string!',
      tags: 'array',
      'tags[]': 'string!',
      lines: 'array!',
      'lines[]': 'object!',
      'lines[].sku': 'string!',
      prices: 'object',
      'prices{}': 'number!',
    },
  ],
  [
    'references, also to itself, end',
    { $ref: '#/$defs/Node', $defs: { Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } } } },
    Object.fromEntries([
      ['', 'object!'],
      ...Array.from({ length: 13 }, (_, n) => [
        Array(n + 1)
          .fill('next')
          .join('.'),
        n < 12 ? 'object' : 'any',
      ]),
    ]),
  ],
  ['a reference to another document says nothing', { $ref: 'https://elsewhere.example/schema' }, { '': 'any!' }],
  ['constants and enumerations have values', { enum: ['a', 1, null] }, { '': 'integer|null|string!="a",1,null' }],
  [
    'of a union, what every object has is required; null is no object',
    {
      anyOf: [
        { type: 'object', properties: { kind: { const: 'a' }, a: { type: 'string' } }, required: ['kind', 'a'] },
        { type: 'object', properties: { kind: { const: 'b' } }, required: ['kind'] },
        { type: 'null' },
      ],
    },
    { '': 'null|object!', kind: 'string!="a","b"', a: 'string' },
  ],
  [
    'all of several parts count',
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'string' } } },
        { required: ['a'], properties: { a: {} } },
      ],
    },
    { '': 'object!', a: 'string!' },
  ],
  ['a schema that is none', true, { '': 'any!' }],
];

for (const [name, schema, expected] of rows) {
  test(name, () => assert.deepEqual(told(schema), expected));
}

test('a schema of any size ends', () => {
  const wide = {
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [`f${n}`, {}])),
  };
  assert.equal(messageShape(wide).size, 2_000);
  let deep: unknown = { type: 'string' };
  for (let n = 0; n < 5_000; n++) deep = { type: 'array', items: deep };
  assert.equal(messageShape(deep).size, 14);
  const all = { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] } } };
  assert.ok(messageShape(all).size < 10);
});
