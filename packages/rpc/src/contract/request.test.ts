import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { contract } from './contract.ts';
import { del, get, post } from './http-binding.ts';
import type { HttpMapping } from './mapping.ts';
import { command, query } from './operation.ts';
import { buildRequest, InputError, type RequestParts } from './request.ts';

const Search = z.object({
  shelf: z.string(),
  page: z.number().int().optional(),
  tags: z.array(z.string()).optional(),
  max: z.number().nullable().optional(),
  note: z.string().nullable().optional(),
});
const Order = z.object({
  id: z.string(),
  dry: z.boolean(),
  token: z.string(),
  session: z.string(),
  lines: z.array(z.number()).optional(),
});
const shop = contract(
  { name: 'shop', version: 1 },
  {
    search: query({ in: Search, http: get('/shelves/{shelf}') }),
    order: command({
      in: Order,
      http: post('/orders/{id}', { query: ['dry'], header: { token: 'X-Token' }, cookie: { session: 'sid' } }),
    }),
    remove: command({ in: z.object({ id: z.string(), force: z.boolean().optional() }), http: del('/orders/{id}') }),
    plain: command({ in: z.array(z.number()) }),
    nothing: command({}),
  },
);

function mapping(operation: string): HttpMapping {
  const found = shop.http.get(operation);
  assert.ok(found);
  return found;
}

const order = { id: '7', dry: true, token: 't', session: 's 1', lines: [1, 2] };

describe('an input becomes a request', () => {
  const rows: Record<string, readonly [operation: string, input: unknown, expected: Partial<RequestParts>]> = {
    'path and query': [
      'search',
      { shelf: 'a b', page: 2, tags: ['x', 'y&z'] },
      { method: 'GET', path: '/shelves/a%20b', query: 'page=2&tags=x&tags=y%26z', body: undefined },
    ],
    'absent fields are left out': ['search', { shelf: 'a', page: undefined }, { query: '' }],
    'null where empty text is null': ['search', { shelf: 'a', max: null }, { query: 'max=' }],
    'a field beyond the schema': ['search', { shelf: 'a', more: 'x' }, { query: 'more=x' }],
    'every place at once': [
      'order',
      order,
      {
        path: '/orders/7',
        query: 'dry=true',
        headers: [
          ['x-token', 't'],
          ['cookie', 'sid=s%201'],
        ],
        body: { lines: [1, 2] },
      },
    ],
    'no body when nothing is left to say': ['order', { ...order, lines: undefined }, { body: undefined }],
    'DELETE has a query': [
      'remove',
      { id: '7', force: true },
      { method: 'DELETE', query: 'force=true', body: undefined },
    ],
    'no binding: the input is the body': ['plain', [1], { method: 'POST', path: '/shop/v1/plain', body: [1] }],
    'no input: no body': ['nothing', undefined, { path: '/shop/v1/nothing', body: undefined }],
  };
  for (const [claim, [operation, input, expected]] of Object.entries(rows)) {
    it(claim, () => {
      const parts = buildRequest(mapping(operation), input);
      for (const [part, value] of Object.entries(expected))
        assert.deepEqual(parts[part as keyof RequestParts], value, part);
    });
  }
});

describe('an input that HTTP cannot say is refused by name', () => {
  const rows: Record<string, readonly [operation: string, input: unknown, message: RegExp]> = {
    'null in a query of texts': ['search', { shelf: 'a', note: null }, /"note" travels as text, which cannot say null/],
    'an object in a query': [
      'search',
      { shelf: 'a', more: {} },
      /"more" travels as text, which cannot say this object/,
    ],
    'no path parameter': ['search', {}, /"shelf" must be one text that fits into a path/],
    'a path parameter that climbs': ['search', { shelf: '..' }, /"shelf" must be one text/],
    'a path parameter with a slash': ['search', { shelf: 'a/b' }, /"shelf" must be one text/],
    'half a character': ['search', { shelf: 'a', tags: ['\ud800'] }, /"tags" has half a character/],
    'a line break in a header': ['order', { ...order, token: 'a\r\nx: y' }, /"token" travels in a header/],
    'an empty header': ['order', { ...order, token: '' }, /"token" travels in a header/],
    'no object': ['search', 'text', /"input" must be an object, got string/],
  };
  for (const [claim, [operation, input, message]] of Object.entries(rows)) {
    it(claim, () => {
      assert.throws(
        () => buildRequest(mapping(operation), input),
        (thrown) => thrown instanceof InputError && message.test(thrown.message),
      );
    });
  }
});
