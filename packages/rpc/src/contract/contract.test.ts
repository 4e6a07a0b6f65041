import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as z from 'zod';
import { contract } from './contract.ts';
import { ContractError } from './contract-error.ts';
import { error } from './declared-error.ts';
import { del, get, patch, post, put } from './http-binding.ts';
import { type AnyOperation, command, notify, query, stream } from './operation.ts';

const Key = z.object({ id: z.string() });
const Item = z.object({ id: z.string(), name: z.string() });
/** A schema without JSON Schema. */
const byHand = <T>(): StandardSchemaV1<T, T> => ({
  '~standard': { version: 1, vendor: 'hand', validate: (value) => ({ value: value as T }) },
});

const named = (name: string, operation: AnyOperation): Record<string, AnyOperation> =>
  Object.fromEntries([[name, operation]]);

function mistakesOf(operations: Record<string, AnyOperation>, identity = { name: 'catalog', version: 1 }): string {
  try {
    contract(identity, operations);
  } catch (thrown) {
    assert.ok(thrown instanceof ContractError);
    assert.equal(thrown.code, 'CONTRACT_INVALID');
    assert.ok(thrown.message.startsWith(`CONTRACT_INVALID: contract "${identity.name}": `), thrown.message);
    return thrown.mistakes.join('; ');
  }
  return 'none';
}

describe('a contract that contradicts itself is refused where it is made', () => {
  const rows: Record<string, readonly [operations: Record<string, AnyOperation>, mistake: RegExp]> = {
    'an operation name with a hyphen': [{ 'get-item': query({}) }, /operation "get-item": its name must be a letter/],
    'an operation that would make the client a promise': [named('then', query({})), /"then": its name has a meaning/],
    'an operation named like a member of every object': [{ constructor: query({}) }, /"constructor": its name has/],
    'an error code in small letters': [{ a: query({ errors: { gone: error(410) } }) }, /code "gone" must be capital/],
    'an error code of the platform': [
      { a: query({ errors: { NO_INSTANCE: error(410) } }) },
      /"NO_INSTANCE" is the platform's/,
    ],
    'an error with the status of a success': [{ a: query({ errors: { GONE: error(204) } }) }, /"GONE" has status 204/],
    'an error with no status of HTTP': [{ a: query({ errors: { GONE: error(600) } }) }, /"GONE" has status 600/],
    'a path parameter that is no field': [
      { a: query({ in: Key, http: get('/items/{sku}') }) },
      /"sku" is bound, but the input has no such field/,
    ],
    'a path parameter without input': [
      { a: query({ http: get('/items/{id}') }) },
      /"id" is bound, but there is no input/,
    ],
    'a path without a slash': [{ a: query({ http: get('items') }) }, /path "items" must start with/],
    'a field at two places': [
      { a: command({ in: Key, http: post('/items/{id}', { query: ['id'] }) }) },
      /"id" is bound to path and to query/,
    ],
    'query fields of a method without body': [
      { a: query({ in: Key, http: get('/items', { query: ['id'] }) }) },
      /"query" is for methods with a body/,
    ],
    'a header that frames the message': [
      { a: command({ in: Key, http: post('/items', { header: { id: 'Content-Length' } }) }) },
      /"Content-Length" belongs to the transport/,
    ],
    'a header that carries the context': [
      { a: command({ in: Key, http: post('/items', { header: { id: 'flotilla-attempt' } }) }) },
      /"flotilla-attempt" belongs/,
    ],
    'a header with a blank': [
      { a: command({ in: Key, http: post('/items', { header: { id: 'x y' } }) }) },
      /"x y" is not a token/,
    ],
    'a cookie with a semicolon': [
      { a: command({ in: Key, http: post('/items', { cookie: { id: 'a;b' } }) }) },
      /"a;b" is not a token/,
    ],
    'a cookie that browsers drop': [
      {
        a: query({
          in: Key,
          out: Item,
          http: get('/items/{id}', { setCookie: { name: { name: 'n', secure: false, sameSite: 'none' } } }),
        }),
      },
      /cookie "n": sameSite "none" needs secure/,
    ],
    'a cookie that lasts a fraction': [
      {
        a: query({
          in: Key,
          out: Item,
          http: get('/items/{id}', { setCookie: { name: { name: 'n', maxAgeSeconds: 0.5 } } }),
        }),
      },
      /maxAgeSeconds is a whole number/,
    ],
    'an object in the query': [
      { a: query({ in: z.object({ at: z.object({ x: z.number() }) }), http: get('/items') }) },
      /"at" is an object/,
    ],
    'an input that is no object in the query': [
      { a: query({ in: z.array(z.string()), http: get('/items') }) },
      /input is not an object/,
    ],
    'no content with an output': [
      { a: command({ in: Key, out: Item, http: post('/items', 204) }) },
      /status 204 has no body/,
    ],
    'a redirection as success': [{ a: command({ in: Key, http: post('/items', 302) }) }, /status 302 is no success/],
    'a stream with another status': [
      { a: stream({ in: Key, out: Item, http: get('/items', { status: 201 }) }) },
      /a stream answers 200/,
    ],
    'a location without output': [
      { a: command({ in: Key, http: post('/items', { status: 201, location: '/items/{id}' }) }) },
      /location names "id", but there is no output/,
    ],
    'a location of no field': [
      { a: command({ in: Key, out: Item, http: post('/items', { location: '/items/{sku}' }) }) },
      /location names "sku"/,
    ],
    'a location of two slashes': [
      { a: command({ in: Key, out: Item, http: post('/items', { location: '//evil.example' }) }) },
      /location: path/,
    ],
    'a response header of no field': [
      { a: query({ in: Key, out: Item, http: get('/items/{id}', { responseHeader: { tag: 'etag' } }) }) },
      /"tag" is bound, but the output has no such field/,
    ],
    'a response header without output': [
      { a: query({ in: Key, http: get('/items/{id}', { responseHeader: { tag: 'etag' } }) }) },
      /"tag" of the output cannot be bound/,
    ],
    'an output field at two places': [
      {
        a: query({
          in: Key,
          out: Item,
          http: get('/items/{id}', { responseHeader: { name: 'x-name' }, setCookie: { name: { name: 'n' } } }),
        }),
      },
      /"name" is bound to a header and to a cookie/,
    ],
    'text without a type': [
      { a: query({ in: byHand<{ id: string }>(), http: get('/items/{id}') }) },
      /"id" travels as text, but its schema gives no JSON Schema: add coerce: \{ id: "string" \}/,
    ],
    'a query of unknown fields': [
      { a: query({ in: byHand<{ page: number }>(), http: get('/items') }) },
      /list them in coerce/,
    ],
    'coercion of what travels in the body': [
      { a: command({ in: byHand<{ n: number }>(), coerce: { n: 'number' } }) },
      /"n", which travels in the JSON body/,
    ],
    'an option of another kind': [
      { a: query({ in: Key, idempotent: true } as never) },
      /"idempotent" is not an option of query\(\)/,
    ],
    'a command that nobody acknowledges': [
      { a: command({ in: Key, acknowledged: false } as never) },
      /"acknowledged" is not an option of command\(\)/,
    ],
    'two operations at one address': [
      {
        a: query({ in: Key, http: get('/items/{id}') }),
        b: query({ in: z.object({ sku: z.string() }), http: get('/items/{sku}') }),
      },
      /operations "a" and "b" are both at GET/,
    ],
  };
  for (const [claim, [operations, mistake]] of Object.entries(rows)) {
    it(claim, () => assert.match(mistakesOf(operations), mistake));
  }

  it('an operation named __proto__', () => {
    const operations = JSON.parse('{ "__proto__": null }') as Record<string, AnyOperation>;
    Object.defineProperty(operations, '__proto__', { value: query({}), enumerable: true });
    assert.match(mistakesOf(operations), /"__proto__": its name must be/);
  });

  for (const name of ['', 'a b', 'a/b', '..', 'x'.repeat(101)]) {
    it(`the name ${JSON.stringify(name.slice(0, 10))}`, () => {
      assert.match(mistakesOf({}, { name, version: 1 }), /its name must be 1 to 100/);
    });
  }

  for (const version of [0, -1, 1.5, Number.NaN]) {
    it(`the version ${version}`, () => assert.match(mistakesOf({}, { name: 'a', version }), /its version must be/));
  }

  it('every mistake is named at once', () => {
    const found = mistakesOf({ 'a-b': query({}), ...named('then', query({ errors: { gone: error(200) } })) });
    for (const mistake of [/"a-b"/, /"then"/, /code "gone"/, /status 200/]) assert.match(found, mistake);
  });
});

describe('a contract', () => {
  it('is frozen, with the address of each operation', () => {
    const catalog = contract(
      { name: 'catalog', version: 2 },
      {
        item: query({ in: Key, out: Item, http: get('/items/{id}') }),
        add: command({ in: Item, out: Item, http: post('/items', 201) }),
        change: command({ in: Item, http: put('/items/{id}') }),
        rename: command({ in: Item, http: patch('/items/{id}') }),
        remove: command({ in: Key, http: del('/items/{id}') }),
        prices: stream({ in: Key, out: Item }),
        seen: notify({ in: Key }),
      },
    );
    assert.ok(Object.isFrozen(catalog) && Object.isFrozen(catalog.operations));
    assert.deepEqual(
      [...catalog.http].map(([name, { method, path, status }]) => `${name}: ${method} ${path} → ${status}`),
      [
        'item: GET /items/{id} → 200',
        'add: POST /items → 201',
        'change: PUT /items/{id} → 204',
        'rename: PATCH /items/{id} → 204',
        'remove: DELETE /items/{id} → 204',
        'prices: POST /catalog/v2/prices → 200',
        'seen: POST /catalog/v2/seen → 202',
      ],
    );
  });

  it('takes types of text fields from coerce where a schema gives none', () => {
    const shop = contract(
      { name: 'shop', version: 1 },
      {
        page: query({
          in: byHand<{ id: string; page?: number; tags?: string[] }>(),
          coerce: { id: 'string', page: 'integer', tags: 'string[]' },
          http: get('/pages/{id}'),
        }),
      },
    );
    assert.deepEqual(
      Object.entries(shop.http.get('page')?.texts ?? {}).map(([name, { types, list }]) => [name, types, list]),
      [
        ['id', ['string'], 'never'],
        ['page', ['integer'], 'never'],
        ['tags', ['string'], 'always'],
      ],
    );
  });

  it('says which operations may be repeated', () => {
    const { operations } = contract(
      { name: 'a', version: 1 },
      {
        q: query({}),
        s: stream({}),
        c: command({}),
        i: command({ idempotent: true }),
        n: notify({}),
        m: notify({ idempotent: true }),
      },
    );
    const repeated = Object.entries(operations).map(([name, { idempotent }]) => `${name} ${idempotent}`);
    assert.deepEqual(repeated, ['q true', 's true', 'c false', 'i true', 'n false', 'm true']);
  });
});
