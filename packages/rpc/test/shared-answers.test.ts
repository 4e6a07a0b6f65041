import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, compose, type Endpoint, FlotillaError, tenantKey } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { batch, createAnswerCache, singleFlight } from '@flotilla/resilience';
import * as z from 'zod';
import {
  type BatchRules,
  batchPlan,
  bytes,
  calledOperations,
  command,
  contract,
  createClient,
  error,
  groupKey,
  type OperationRequest,
  operationAttribute,
  operationKey,
  query,
  stream,
} from '../src/index.ts';

const Product = z.object({ id: z.string(), price: z.number() });
const item = z.union([
  z.object({ value: Product }),
  z.object({ error: z.object({ code: z.string(), data: z.object({ id: z.string() }).optional() }) }),
]);

const catalog = contract(
  { name: 'catalog', version: 2 },
  {
    product: query({
      in: z.object({ id: z.string() }),
      out: Product,
      errors: { NOT_FOUND: error(404, z.object({ id: z.string() })) },
    }),
    products: query({
      in: z.object({ items: z.array(z.object({ id: z.string() })) }),
      out: z.object({ items: z.array(item) }),
    }),
    byIds: query({ in: z.object({ ids: z.array(z.string()) }), out: z.array(Product) }),
    reserve: command({ in: z.object({ id: z.string() }), out: Product, idempotent: true }),
    prices: stream({ out: z.number() }),
    picture: query({ in: z.object({ id: z.string() }), out: bytes({ type: 'image/png' }) }),
  },
);
const operations = calledOperations(catalog);

const requestOf = (name: string, input: unknown): OperationRequest => {
  const operation = operations.get(name);
  assert.ok(operation);
  return { operation, input };
};

function callOf(members: Record<string, string> = {}): Call {
  return new Call({ clock: new ManualClock(), random: seededRandom(1), baggage: new Map(Object.entries(members)) });
}

test('a key tells apart operation, tenant, input and what else the answer varies with', () => {
  const keys = [
    operationKey(requestOf('product', { id: '1' }), callOf()),
    operationKey(requestOf('product', { id: '2' }), callOf()),
    operationKey(requestOf('product', { id: '1' }), callOf({ [tenantKey]: 'a' })),
    operationKey(requestOf('product', { id: '1' }), callOf({ [tenantKey]: 'b' })),
    operationKey(requestOf('byIds', { id: '1' }), callOf()),
    operationKey(requestOf('product', { id: '1' }), callOf({ lang: 'de' }), ['lang']),
    operationKey(requestOf('product', { id: '1' }), callOf({ lang: 'en' }), ['lang']),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(keys.every((key) => key?.includes('@2\n')));
  assert.equal(keys[0], operationKey(requestOf('product', { id: '1' }), callOf({ lang: 'de' })));
});

test('no member of a key can pass for another', () => {
  const call = callOf({ [tenantKey]: 'a"\n{"id":"1"}' });
  assert.notEqual(
    operationKey(requestOf('product', { id: '1' }), call),
    operationKey(requestOf('product', { id: '1' }), callOf({ [tenantKey]: 'a' })),
  );
  assert.notEqual(groupKey(requestOf('product', 1), call), groupKey(requestOf('product', 1), callOf()));
});

test('what changes something, goes on, or is bytes has no key', () => {
  for (const [name, input] of [
    ['reserve', { id: '1' }],
    ['prices', undefined],
    ['picture', { id: '1' }],
    ['product', new Uint8Array(1)],
  ] as const) {
    assert.equal(operationKey(requestOf(name, input), callOf()), undefined, name);
  }
});

/** A client of the catalogue whose calls are written down. */
function world(rules: BatchRules<typeof catalog>) {
  const clock = new ManualClock();
  const sent: { name: string; input: unknown; said: string | undefined }[] = [];
  const answer = ({ operation, input }: OperationRequest): unknown => {
    const of = (id: string) => ({ id, price: Number(id) });
    if (operation.name === 'catalog.product') return of((input as { id: string }).id);
    if (operation.name === 'catalog.byIds') return (input as { ids: string[] }).ids.map(of);
    return {
      items: (input as { items: { id: string }[] }).items.map(({ id }) =>
        id === '404' ? { error: { code: 'NOT_FOUND', data: { id } } } : { value: of(id) },
      ),
    };
  };
  const rule = rules.product;
  assert.ok(rule);
  const { into: _, ask, answers, ...numbers } = rule;
  const plan = batchPlan('product', rule as never, operations);
  const filters = [
    createAnswerCache<OperationRequest, unknown>({ keyOf: operationKey, ttlMs: 1_000 }).filter,
    singleFlight<OperationRequest, unknown>({ keyOf: operationKey }),
    batch<OperationRequest, unknown>({
      ...numbers,
      ...plan,
      groupOf: (request, call) => (request.operation.name === 'catalog.product' ? groupKey(request, call) : undefined),
    }),
  ];
  const handle = compose(filters, async (request: OperationRequest, call) => {
    sent.push({ name: request.operation.name, input: request.input, said: call.get(operationAttribute)?.operation });
    call.end();
    return answer(request);
  });
  const endpoint: Endpoint<OperationRequest, unknown> = { handle, status: 'open', load: 0, close: async () => {} };
  return { clock, sent, client: createClient(catalog, endpoint, { clock, random: seededRandom(1) }) };
}

test('look-ups that are made side by side are one call by convention; each gets its own answer or declared error', async () => {
  const { clock, sent, client } = world({ product: { into: 'products', windowMs: 1 } });
  const answers = Promise.allSettled([
    client.product({ id: '1' }),
    client.product({ id: '1' }),
    client.product({ id: '404' }),
    client.product({ id: '2' }),
  ]);
  await clock.advance(1);
  await settle();
  const [one, same, none, two] = await answers;
  assert.deepEqual(
    [one, same, two].map((each) => each?.status === 'fulfilled' && each.value),
    [
      { id: '1', price: 1 },
      { id: '1', price: 1 },
      { id: '2', price: 2 },
    ],
  );
  assert.ok(none?.status === 'rejected' && none.reason instanceof FlotillaError);
  const { code, httpStatus, executed, data } = none.reason;
  assert.deepEqual([code, httpStatus, executed, data], ['NOT_FOUND', 404, 'yes', { id: '404' }]);
  const input = { items: [{ id: '1' }, { id: '404' }, { id: '2' }] };
  assert.deepEqual(sent, [{ name: 'catalog.products', input, said: 'products' }]);
  assert.deepEqual(await client.product({ id: '2' }), { id: '2', price: 2 }, 'kept');
  assert.equal(sent.length, 1);
});

test('an operation of any other shape is told how to ask and what the answers are', async () => {
  const { clock, sent, client } = world({
    product: {
      into: 'byIds',
      ask: (inputs) => ({ ids: inputs.map(({ id }) => id) }),
      answers: (found) => found.map((value) => ({ value })),
    },
  });
  const answers = Promise.all([client.product({ id: '1' }), client.product({ id: '2' })]);
  await clock.advance(2);
  assert.deepEqual(await answers, [
    { id: '1', price: 1 },
    { id: '2', price: 2 },
  ]);
  assert.deepEqual(sent, [{ name: 'catalog.byIds', input: { ids: ['1', '2'] }, said: 'byIds' }]);
});

test('the types say what a rule wants', () => {
  const rules: BatchRules<typeof catalog>[] = [
    { product: { into: 'products' } },
    // @ts-expect-error no such operation
    { product: { into: 'nothing' } },
    // @ts-expect-error not by convention: it has to be said how
    { product: { into: 'byIds' } },
    // @ts-expect-error the answer is no product
    { product: { into: 'byIds', ask: () => ({ ids: [] }), answers: () => [{ value: 7 }] } },
  ];
  assert.equal(rules.length, 4);
});

test('a rule that cannot be carried out is refused when the client is made', () => {
  for (const [name, into, message] of [
    ['nothing', 'products', /batch: the contract has no operation "nothing"/],
    ['product', 'nothing', /batch.product.into: the contract has no operation "nothing"/],
    ['reserve', 'products', /catalog.reserve is none/],
    ['product', 'prices', /catalog.prices is none/],
    ['product', 'picture', /catalog.picture is none/],
  ] as const) {
    assert.throws(() => batchPlan(name, { into }, operations), message);
  }
});
