import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { contract } from './contract.ts';
import { error } from './declared-error.ts';
import { describeContracts, inputFromTexts, type OperationDescription } from './describe.ts';
import { contractHash } from './fingerprint.ts';
import { get } from './http-binding.ts';
import { command, query } from './operation.ts';
import { buildRequest } from './request.ts';

const catalog = contract(
  { name: 'catalog', version: 3 },
  {
    product: query({
      in: z.object({ id: z.string(), page: z.number().optional() }),
      out: z.object({ name: z.string() }),
      errors: { NOT_FOUND: error(404, z.object({ id: z.string() })), GONE: error(410) },
      http: get('/products/{id}'),
    }),
    reserve: command({
      in: z.object({
        sku: z.string(),
        count: z.number(),
        tags: z.array(z.string()),
        gift: z.boolean(),
        to: z.object({ city: z.string() }),
      }),
      idempotent: true,
    }),
    clear: command({}),
  },
);

function described(name: string): OperationDescription {
  // Through JSON and back: a tool gets it over the wire.
  const [contract] = JSON.parse(JSON.stringify(describeContracts([catalog]))) as ReturnType<typeof describeContracts>;
  const operation = contract?.operations.find((candidate) => candidate.name === name);
  assert.ok(operation);
  return operation;
}

it('a description says what a contract says', () => {
  const [whole] = describeContracts([catalog]);
  assert.deepEqual([whole?.name, whole?.version, whole?.hash], ['catalog', 3, contractHash(catalog)]);
  const { kind, idempotent, http, input, output, errors } = described('product');
  assert.deepEqual(
    [kind, idempotent, http.method, http.path, http.status],
    ['query', true, 'GET', '/products/{id}', 200],
  );
  assert.deepEqual(input?.['required'], ['id']);
  assert.deepEqual(output?.['required'], ['name']);
  assert.deepEqual(
    errors.map(({ code, status, data }) => [code, status, data === null]),
    [
      ['NOT_FOUND', 404, false],
      ['GONE', 410, true],
    ],
  );
});

describe('texts become the input of an operation', () => {
  it('by its JSON Schema, in the body too', () => {
    const input = inputFromTexts(described('reserve'), {
      sku: '007',
      count: '2',
      tags: 'x',
      gift: 'true',
      to: '{"city":"Rom"}',
    });
    assert.deepEqual(input, { sku: '007', count: 2, tags: ['x'], gift: true, to: { city: 'Rom' } });
  });

  it('and a request by the same description', () => {
    const operation = described('product');
    const request = buildRequest(operation.http, inputFromTexts(operation, { id: 'a b', page: '2' }));
    assert.deepEqual([request.method, request.path, request.query], ['GET', '/products/a%20b', 'page=2']);
  });

  it('a text that does not fit is passed on for the callee to judge', () => {
    const input = inputFromTexts(described('reserve'), { count: 'two', to: 'Rom', more: ['a', 'b'] });
    assert.deepEqual(input, { count: 'two', to: 'Rom', more: ['a', 'b'] });
  });

  it('none for an operation without input', () => {
    assert.equal(inputFromTexts(described('clear'), { a: 'b' }), undefined);
  });
});
