import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import {
  encodeForm,
  formMediaType,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  parsePath,
  readBody,
} from '@flotilla/http';
import {
  type Binding,
  buildRequest,
  command,
  contract,
  contractHandler,
  createClient,
  defaultBinding,
  del,
  error,
  form,
  get,
  type HttpMapping,
  httpCalls,
  InputError,
  notify,
  type OperationCall,
  operationKinds,
  post,
  put,
  query,
  stream,
} from '@flotilla/rpc';
import * as z from 'zod';

interface Example {
  readonly claim: string;
  readonly operation: string;
  readonly input?: unknown;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly query: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly form?: readonly (readonly [name: string, text: string])[];
  };
  readonly output?: unknown;
  readonly fails?: { readonly code: string; readonly data: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
}

interface Golden {
  readonly kinds: unknown;
  readonly defaultMapping: {
    readonly method: string;
    readonly path: string;
    readonly status: Readonly<Record<string, number>>;
  };
  readonly examples: readonly Example[];
  readonly refusedByClients: readonly { claim: string; operation: string; input: unknown; field: string }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/http-mapping.json', import.meta.url), 'utf8'));

/** The contract that the examples are about. */
const shop = contract(
  { name: 'shop', version: 1 },
  {
    reserve: command({
      in: z.object({ sku: z.string(), count: z.number() }),
      out: z.object({ receipt: z.string() }),
      idempotent: true,
    }),
    clear: command({}),
    seen: notify({ in: z.object({ sku: z.string() }) }),
    prices: stream({ out: z.number() }),
    search: query({
      in: z.object({
        shelf: z.string(),
        page: z.number().int().optional(),
        inStock: z.boolean().optional(),
        tags: z.array(z.string()),
        below: z.number().nullable().optional(),
      }),
      out: z.object({ skus: z.array(z.string()) }),
      errors: { NO_SHELF: error(404, z.object({ shelf: z.string() })) },
      http: get('/shelves/{shelf}/products'),
    }),
    order: command({
      in: z.object({ sku: z.string(), count: z.number() }),
      out: z.object({ id: z.string(), cents: z.number() }),
      http: post('/orders', { status: 201, location: '/orders/{id}' }),
    }),
    change: command({
      in: z.object({
        id: z.string(),
        dryRun: z.boolean().optional(),
        revision: z.string(),
        session: z.string(),
        count: z.number(),
      }),
      out: z.object({ id: z.string(), revision: z.string(), session: z.string() }),
      http: put('/orders/{id}', {
        query: ['dryRun'],
        header: { revision: 'if-match' },
        cookie: { session: 'sid' },
        responseHeader: { revision: 'etag' },
        setCookie: { session: { name: 'sid', maxAgeSeconds: 3600 } },
      }),
    }),
    signUp: command({
      in: z.object({ shelf: z.string(), name: z.string(), weekly: z.boolean(), tags: z.array(z.string()) }),
      out: z.object({ id: z.string() }),
      http: post('/shelves/{shelf}/readers', { body: form() }),
    }),
    cancel: command({ in: z.object({ id: z.string(), reason: z.string().optional() }), http: del('/orders/{id}') }),
  },
);

function mappingOf(operation: string): HttpMapping {
  const mapping = shop.http.get(operation);
  assert.ok(mapping, `the contract of this test has no operation "${operation}"`);
  return mapping;
}

function newCall(): Call {
  const trace = { traceId: '1'.padStart(32, '0'), spanId: '1'.padStart(16, '0'), sampled: true, state: '' };
  return new Call({ clock: new ManualClock(), random: () => 0.5, trace });
}

/** Serves the shop with one answer, and remembers what its handler got. */
function serving(example: Example): { binding: Binding; got: unknown[] } {
  const got: unknown[] = [];
  const answer = (input: unknown, call: OperationCall<Record<string, unknown>>): unknown => {
    got.push(input);
    if (example.fails) call.fail(example.fails.code, example.fails.data);
    return example.output;
  };
  const handlers = Object.fromEntries(Object.keys(shop.operations).map((name) => [name, answer]));
  return { binding: { contract: shop, handlers }, got };
}

const text = new TextDecoder();

describe('golden HTTP mapping', () => {
  it('the names and directions of the kinds', () => assert.deepEqual(operationKinds, golden.kinds));

  it('the address of an operation without its own', () => {
    const { method, path, status } = golden.defaultMapping;
    const filled = path.replace('{contract}', 'shop').replace('{version}', '1');
    assert.deepEqual(defaultBinding('shop', 1, 'x'), { method, path: filled.replace('{operation}', 'x') });
    const statuses = ['reserve', 'clear', 'prices', 'seen'].map((operation) => mappingOf(operation).status);
    assert.deepEqual(statuses, [status['with output'], status['without output'], status['stream'], status['notify']]);
  });

  for (const example of golden.examples) {
    const { operation, claim, request, response } = example;

    it(`${operation}, the request: ${claim}`, () => {
      const built = buildRequest(mappingOf(operation), example.input);
      const headers = Object.fromEntries(built.headers);
      assert.deepEqual({ ...built, headers }, { body: undefined, ...request });
    });

    it(`${operation}, the answer: ${claim}`, async () => {
      const { binding, got } = serving(example);
      const call = newCall();
      const answer = await contractHandler([binding])(asRequest(request), call);
      assert.deepEqual(got, [example.input]);
      assert.equal(answer.status, response.status);
      assert.deepEqual(Object.fromEntries(answer.headers), response.headers);
      const body = text.decode(await readBody(answer.body, 10_000, call));
      assert.deepEqual(body === '' ? undefined : JSON.parse(body), response.body);
    });

    it(`${operation}, there and back: ${claim}`, async () => {
      const handler = contractHandler([serving(example).binding]);
      const handle = (sent: HttpRequest): Promise<HttpResponse> => handler(sent, newCall());
      const endpoint = { handle, status: 'open' as const, load: 0, close: async () => {} };
      const needs = { clock: new ManualClock(), random: () => 0.5 };
      const client = createClient(shop, httpCalls(endpoint, { authority: 'shop', ...needs }), needs);
      const method = client[operation as 'search'] as (input: unknown) => Promise<unknown>;
      const reply = method(example.input);
      if (example.fails) await assert.rejects(reply, example.fails);
      else assert.deepEqual(await reply, example.output);
    });
  }

  for (const { claim, operation, input, field } of golden.refusedByClients) {
    it(`refused by clients: ${claim}`, () => {
      assert.throws(
        () => buildRequest(mappingOf(operation), input),
        (thrown) => thrown instanceof InputError && thrown.field === field,
      );
    });
  }
});

function asRequest({ method, path, query, headers, body, form: pairs }: Example['request']): HttpRequest {
  const fields = new HttpHeaders(Object.entries(headers));
  if (body !== undefined) fields.set('content-type', 'application/json');
  if (pairs) fields.set('content-type', formMediaType);
  const sent = pairs ? encodeForm(pairs) : body === undefined ? undefined : JSON.stringify(body);
  const bytes = sent === undefined ? undefined : new TextEncoder().encode(sent);
  return { method, authority: 'shop', path: parsePath(path), query, headers: fields, body: bytes };
}
