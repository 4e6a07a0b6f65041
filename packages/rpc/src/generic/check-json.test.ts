import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import * as z from 'zod';
import type { JsonSchema } from '../contract/index.ts';
import { checkJson } from './check-json.ts';

const Book = z.object({
  title: z.string().min(1),
  pages: z.int().min(1).max(10_000),
  kind: z.enum(['paper', 'audio']).optional(),
  authors: z.array(z.object({ name: z.string() })).min(1),
  price: z.union([z.object({ euros: z.number() }), z.object({ free: z.literal(true) })]),
});
const schema = z.toJSONSchema(Book, { io: 'input' }) as JsonSchema;
const book = { title: 'Sea', pages: 7, authors: [{ name: 'Ada' }], price: { free: true } };

const said = (value: unknown, by: JsonSchema | boolean = schema): string[] =>
  checkJson(by, value).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('what a JSON Schema has against a value is said by field', () => {
  for (const [name, value, expected] of [
    ['nothing', book, []],
    ['a type', { ...book, pages: 'seven' }, ['pages: must be an integer, got "seven"']],
    ['a number out of range', { ...book, pages: 0 }, ['pages: must be at least 1, got 0']],
    ['a missing field', { ...book, title: undefined }, ['title: must be a string, got undefined']],
    ['a field that is not there', (({ title: _, ...rest }) => rest)(book), ['title: is missing']],
    ['a value that is not among those', { ...book, kind: 'film' }, ['kind: must be "paper" or "audio", got "film"']],
    ['an element', { ...book, authors: [{ name: 'Ada' }, {}] }, ['authors.1.name: is missing']],
    ['too few', { ...book, authors: [] }, ['authors: must have at least 1 elements, got 0']],
    [
      'a branch of a union that comes near',
      { ...book, price: { euros: '1' } },
      ['price.euros: must be a number, got "1"'],
    ],
    [
      'no branch',
      { ...book, price: 3 },
      ['price: fits none of 2 forms: must be an object, got 3; must be an object, got 3'],
    ],
    ['the value itself', null, [': must be an object, got null']],
    [
      'several',
      { ...book, title: '', pages: 1.5 },
      ['title: must have at least 1 characters, got 0', 'pages: must be an integer, got 1.5'],
    ],
  ] as const) {
    it(name, () => assert.deepEqual(said(value), expected));
  }

  it('an unknown field, where the schema allows none, with those that it has', () => {
    const strict = z.toJSONSchema(z.strictObject({ a: z.string() })) as JsonSchema;
    assert.deepEqual(said({ a: '', b: 1 }, strict), ['b: is no field of it; it has a']);
  });

  it('at most twenty mistakes, however many there are', () => {
    assert.equal(
      checkJson(
        { items: { type: 'string' } },
        Array.from({ length: 1_000 }, () => 1),
      ).length,
      20,
    );
  });

  it('a schema that refers to itself ends', () => {
    const tree: JsonSchema = {
      $defs: { t: { properties: { t: { $ref: '#/$defs/t' } }, type: 'object' } },
      $ref: '#/$defs/t',
    };
    assert.deepEqual(said({ t: { t: 3 } }, tree), ['t.t: must be an object, got 3']);
    assert.deepEqual(said({}, { $ref: '#' }), []);
  });
});

describe('a value that the schema allows is never refused', () => {
  const known = fc.letrec<{ schema: JsonSchema }>((tie) => ({
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<JsonSchema>({}, { type: 'string' }, { type: ['integer', 'null'] }, { type: 'boolean' }),
      fc.record({ minLength: fc.nat(3), maxLength: fc.nat(5) }),
      fc.record({ minimum: fc.integer({ min: -3, max: 3 }), exclusiveMaximum: fc.integer({ min: -3, max: 3 }) }),
      fc.record({ enum: fc.array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 3 }) }),
      fc.record({
        prefixItems: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
        items: tie('schema'),
        maxItems: fc.nat(3),
      }),
      fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
      fc.record(
        {
          properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema')),
          required: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
          additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
        },
        { requiredKeys: ['properties'] },
      ),
    ) as fc.Arbitrary<JsonSchema>,
  })).schema;
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 1 })),
    fc.integer({ min: -4, max: 4 }),
    fc.string({ maxLength: 6 }),
  );
  // Cloned, as what was parsed is: Ajv takes an object without a prototype, which fast-check makes, for unlike `{}`.
  const naive = (document: JsonSchema, given: unknown): boolean =>
    new Ajv2020({ strict: false, logger: false }).validate(structuredClone({ ...document }), structuredClone(given));

  it('and of the keywords that are known, one that it refuses never passes', () => {
    fc.assert(
      fc.property(known, value, (document, given) => {
        assert.equal(checkJson(document, given).length === 0, naive(document, given));
      }),
      { numRuns: 200 },
    );
  });

  it('whatever keywords it has besides', () => {
    const others = fc.constantFrom<JsonSchema>(
      { pattern: '^x' },
      { not: { type: 'string' } },
      { if: { type: 'string' }, else: { type: 'null' } },
      { patternProperties: { '^a': { type: 'string' } }, additionalProperties: false },
      { oneOf: [{ type: 'string' }, { minLength: 2 }] },
      { multipleOf: 2 },
      { uniqueItems: true },
    );
    fc.assert(
      fc.property(known, others, value, (document, other, given) => {
        const both: JsonSchema = { allOf: [document, other] };
        if (naive(both, given)) assert.deepEqual(checkJson(both, given), []);
      }),
      { numRuns: 200 },
    );
  });
});
