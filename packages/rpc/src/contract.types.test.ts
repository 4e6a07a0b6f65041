import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call, ErrorCode, FlotillaError } from '@flotilla/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as v from 'valibot';
import * as z from 'zod';
import type { Client } from './client/client.ts';
import type { CallTerms } from './client/options.ts';
import {
  type ByteSource,
  type ByteStream,
  type BytesAnswer,
  type BytesToSend,
  byteStream,
  bytes,
  command,
  contract,
  type Download,
  del,
  error,
  type FilePart,
  type FileToSend,
  form,
  get,
  json,
  multipart,
  notify,
  post,
  put,
  query,
  stream,
} from './contract/index.ts';
import type { Handlers } from './handlers.ts';
import type { OperationCall } from './operation-call.ts';
import type { Reply, ReplyStream, SafeResult } from './reply.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Expect<T extends true> = T;

interface Price {
  id: string;
  cents: number;
  tags?: readonly string[];
}

const Key = z.object({ id: z.string() });
const Product = z.object({ id: z.string(), name: z.string() });
const Missing = z.object({ id: z.string() });
const Reservation = v.object({ id: v.string(), count: v.optional(v.number(), 1) });
const Receipt = v.object({ receipt: v.string() });
const byHand = <T>(): StandardSchemaV1<T, T> => ({
  '~standard': { version: 1, vendor: 'hand', validate: (value) => ({ value: value as T }) },
});

const catalog = contract(
  { name: 'catalog', version: 1 },
  {
    product: query({
      in: Key,
      out: Product,
      errors: { NOT_FOUND: error(404, Missing), GONE: error(410) },
      http: get('/products/{id}'),
    }),
    reserve: command({ in: Reservation, out: Receipt, idempotent: true }),
    prices: stream({ in: Key, out: byHand<Price>() }),
    touched: notify({ in: byHand<{ id: string }>(), errors: { FULL: error(429) } }),
    clear: command({}),
  },
);
type Catalog = typeof catalog;
type ProductErrors = { NOT_FOUND: { id: string }; GONE: undefined };

export type Claims = [
  Expect<
    Equal<
      Client<Catalog>['product'],
      (input: { id: string }, call?: Call, terms?: CallTerms) => Reply<{ id: string; name: string }, ProductErrors>
    >
  >,
  // The client sends what the schema takes, the handler gets what it gives.
  Expect<Equal<Parameters<Client<Catalog>['reserve']>[0], { id: string; count?: number | undefined }>>,
  Expect<Equal<Parameters<Handlers<Catalog>['reserve']>[0], { id: string; count: number }>>,
  Expect<Equal<ReturnType<Client<Catalog>['prices']>, ReplyStream<Price, Record<never, never>>>>,
  Expect<Equal<ReturnType<Handlers<Catalog>['prices']>, AsyncIterable<Price>>>,
  Expect<
    Equal<
      ReturnType<Handlers<Catalog>['product']>,
      { id: string; name: string } | Promise<{ id: string; name: string }>
    >
  >,
  Expect<Equal<Parameters<Handlers<Catalog>['product']>[1], OperationCall<ProductErrors>>>,
  Expect<Equal<ReturnType<Client<Catalog>['touched']>, Reply<void, { FULL: undefined }>>>,
  Expect<Equal<keyof Client<Catalog>, 'product' | 'reserve' | 'prices' | 'touched' | 'clear'>>,
];

const Numbered = z.object({ id: z.string(), page: z.coerce.number().default(1), note: z.string().optional() });

const pictures = contract(
  { name: 'pictures', version: 1 },
  {
    login: command({ in: Numbered, out: Product, http: post('/login', { body: form({ maxFields: 5 }) }) }),
    load: command({ in: Numbered, http: post('/load', { body: json({ maxBytes: 5 }) }) }),
    album: command({ in: Numbered, out: Product, http: post('/albums/{id}', { body: multipart() }) }),
    scan: command({ http: post('/scans', { body: multipart({ field: 'scans' }) }) }),
    store: command({ in: Key, http: put('/pictures/{id}', { body: bytes({ type: 'image/png' }) }) }),
    film: command({ in: Key, http: put('/films/{id}', { body: byteStream({ field: 'film' }) }) }),
    picture: query({ in: Key, out: bytes(), errors: { GONE: error(410) }, http: get('/pictures/{id}') }),
    video: query({ in: Key, out: byteStream({ type: 'video/mp4' }), http: get('/videos/{id}') }),
    seen: notify({ in: Key, http: post('/seen/{id}', { body: bytes() }) }),
    lines: stream({ out: z.string(), http: post('/lines', { body: byteStream() }) }),
    either: query({ out: z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]) }),
  },
);
type Pictures = typeof pictures;
type Takes<Name extends keyof Pictures['operations']> = Parameters<Client<Pictures>[Name]>[0];
type Gets<Name extends keyof Pictures['operations']> = Parameters<Handlers<Pictures>[Name]>[0];

export type BodyClaims = [
  // A form and a limit change nothing in the types.
  Expect<Equal<Takes<'login'>, z.input<typeof Numbered>>>,
  Expect<Equal<Gets<'login'>, z.output<typeof Numbered>>>,
  Expect<Equal<Gets<'load'>, z.output<typeof Numbered>>>,
  // What a body adds stands beside the fields, which stay as optional as they are.
  Expect<
    Equal<
      Takes<'album'>,
      { id: string; page?: unknown; note?: string | undefined; readonly files: readonly FileToSend[] }
    >
  >,
  Expect<
    Equal<
      Gets<'album'>,
      { id: string; page: number; note?: string | undefined; readonly files: AsyncIterable<FilePart> }
    >
  >,
  Expect<Equal<Takes<'scan'>, { readonly scans: readonly FileToSend[] }>>,
  Expect<Equal<Gets<'scan'>, { readonly scans: AsyncIterable<FilePart> }>>,
  Expect<Equal<Takes<'store'>, { id: string; readonly body: ByteSource | BytesToSend }>>,
  Expect<Equal<Gets<'store'>, { id: string; readonly body: Uint8Array }>>,
  Expect<Equal<Takes<'film'>, { id: string; readonly film: ByteSource | BytesToSend }>>,
  Expect<Equal<Gets<'film'>, { id: string; readonly film: ByteStream }>>,
  Expect<Equal<ReturnType<Client<Pictures>['picture']>, Reply<Uint8Array, { GONE: undefined }>>>,
  Expect<Equal<ReturnType<Client<Pictures>['video']>, Reply<Download, Record<never, never>>>>,
  Expect<Equal<ReturnType<Handlers<Pictures>['video']>, ByteSource | BytesAnswer | Promise<ByteSource | BytesAnswer>>>,
  Expect<Equal<Gets<'seen'>, { id: string; readonly body: Uint8Array }>>,
  Expect<Equal<Gets<'lines'>, { readonly body: ByteStream }>>,
  // A handler that answers one of several still answers one promise of all of them.
  Expect<
    Equal<
      ReturnType<Handlers<Pictures>['either']>,
      { a: string } | { b: string } | Promise<{ a: string } | { b: string }>
    >
  >,
];

export function bodies(client: Client<Pictures>, content: AsyncIterable<Uint8Array>): unknown[] {
  return [
    client.store({ id: '1', body: new Uint8Array(1) }),
    client.store({ id: '1', body: new Blob([]) }),
    client.store({ id: '1', body: { content, type: 'image/png', length: 3 } }),
    client.album({ id: '1', files: [{ content: new File([], 'a') }, { content, name: 'b', field: 'c' }] }),
    // @ts-expect-error no bytes
    client.store({ id: '1' }),
    // @ts-expect-error a text
    client.store({ id: '1', body: 'text' }),
    // @ts-expect-error one file is a list of one
    client.scan({ scans: { content } }),
    // @ts-expect-error GET has no body
    get('/x', { body: form() }),
    // @ts-expect-error DELETE neither
    del('/x', { body: bytes() }),
    // @ts-expect-error elements of a stream are JSON
    stream({ out: bytes() }),
  ];
}

export function failing(call: OperationCall<ProductErrors>, core: Call): void {
  call.throwIfCancelled();
  const asCore: Call = call;
  asCore.throwIfCancelled();
  if (core.ended) call.fail('NOT_FOUND', { id: '1' });
  if (core.ended) call.fail('NOT_FOUND', { id: '1' }, 'nothing has this id');
  if (core.ended) call.fail('GONE');
  // @ts-expect-error the data is missing
  if (core.ended) call.fail('NOT_FOUND');
  // @ts-expect-error the data is of another shape
  if (core.ended) call.fail('NOT_FOUND', { sku: '1' });
  // @ts-expect-error not declared
  call.fail('TOO_LATE');
}

export function calling(client: Client<Catalog>, call: Call): void {
  client.clear();
  client.clear(undefined, call);
  client.product({ id: '1' }, call, { timeoutMs: 5 });
  // @ts-expect-error the input is of another type
  client.product({ id: 1 });
  // @ts-expect-error the input is missing
  client.product();
}

export function telling(result: SafeResult<string, ProductErrors>): string {
  if (result.ok) return result.value;
  const code: 'NOT_FOUND' | 'GONE' | ErrorCode = result.error.code;
  if (result.error.code === 'NOT_FOUND') return result.error.data.id;
  const rest: FlotillaError = result.error;
  return code + rest.message;
}

export function outputs(): unknown[] {
  return [
    query({ out: z.object({ a: z.string().optional(), b: z.array(z.union([z.number(), z.null()])) }) }),
    query({ out: z.json() }),
    query({ out: byHand<readonly Price[]>() }),
    // @ts-expect-error a default: the client would be promised what the handler need not give
    query({ out: z.object({ a: z.string().default('x') }) }),
    // @ts-expect-error a transformation
    query({ out: z.string().transform(Number) }),
    // @ts-expect-error not JSON
    query({ out: z.object({ at: z.date() }) }),
    // @ts-expect-error not JSON
    query({ out: z.object({ big: z.bigint() }) }),
    // @ts-expect-error not known to be JSON
    query({ out: z.object({ any: z.unknown() }) }),
    // @ts-expect-error not JSON, inside an interface
    query({ out: byHand<{ prices: { at: Date }[] }>() }),
    // @ts-expect-error JSON has null, not undefined
    query({ out: z.string().optional() }),
    // @ts-expect-error data of an error is JSON too
    error(404, z.object({ at: z.date() })),
    // @ts-expect-error notify has no output
    notify({ out: Product }),
    // @ts-expect-error a misspelt option
    query({ input: Key }),
  ];
}

// @ts-expect-error the output lacks its name
export const incomplete: Handlers<Catalog>['product'] = async ({ id }, call) => {
  if (id === '') call.fail('GONE');
  return { id };
};

test('the types of a contract say what its client takes and its handlers get', () => {
  assert.deepEqual(Object.keys(catalog.operations), ['product', 'reserve', 'prices', 'touched', 'clear']);
});
