import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import * as z from 'zod';
import { assertValidOpenApi, type Document } from '../../test/openapi-check.ts';
import {
  byteStream,
  bytes,
  command,
  contract,
  del,
  error,
  form,
  get,
  json,
  multipart,
  notify,
  post,
  put,
  query,
  stream,
} from '../contract/index.ts';
import { openApiOf } from './document.ts';

const Node = z.object({
  name: z.string(),
  get children() {
    return z.array(Node).optional();
  },
});
const Key = z.object({ id: z.string() });

const everything = contract(
  { name: 'shop', version: 2 },
  {
    item: query({
      in: Key,
      out: z.object({ id: z.string(), etag: z.string() }),
      errors: { GONE: error(410, Key), LOST: error(410), UNKNOWN: error(404) },
      http: get('/items/{id}', { responseHeader: { etag: 'etag' } }),
    }),
    change: command({
      in: z.object({
        sku: z.string(),
        revision: z.string(),
        session: z.string().optional(),
        dry: z.boolean().optional(),
        count: z.int(),
      }),
      out: Key,
      idempotent: true,
      http: put('/items/{sku}', {
        query: ['dry'],
        header: { revision: 'if-match' },
        cookie: { session: 'sid' },
        status: 201,
        location: '/items/{id}',
      }),
    }),
    search: query({
      in: z.object({
        text: z.string().min(2),
        below: z.number().optional(),
        tags: z.array(z.enum(['a', 'b'])),
        page: z.int().default(1),
      }),
      out: z.array(Key),
      http: get('/search'),
    }),
    remove: command({ in: Key, http: del('/items/{id}') }),
    tree: command({ in: Node, out: Node, http: post('/trees') }),
    branch: command({ in: z.object({ id: z.string(), node: Node }), http: post('/trees/{id}/branches') }),
    signIn: command({
      in: z.object({ name: z.string() }),
      out: z.object({ name: z.string(), sid: z.string() }),
      http: post('/session', { setCookie: { sid: { name: 'sid' } } }),
    }),
    reserve: command({ in: v.object({ id: v.string() }), out: z.number(), http: post('/reservations') }),
    seen: notify({ in: Key }),
    prices: stream({ in: Key, out: z.object({ cents: z.int() }), http: get('/prices') }),
    login: command({
      in: z.object({ user: z.string(), remember: z.boolean().optional() }),
      http: post('/login', { body: form({ maxBytes: 100 }) }),
    }),
    album: command({
      in: z.object({ id: z.string(), title: z.string() }),
      out: Key,
      http: post('/albums/{id}', { body: multipart({ type: 'image/png', fileFields: ['picture'] }) }),
    }),
    scan: command({ http: post('/scans', { body: multipart() }) }),
    store: command({
      in: z.object({ id: z.string(), quality: z.int().optional() }),
      http: put('/pictures/{id}', { body: bytes({ type: ['image/png', 'image/*'] }) }),
    }),
    film: query({ in: Key, out: byteStream({ type: 'video/mp4' }), http: get('/films/{id}') }),
    load: command({
      in: z.object({ rows: z.array(z.string()) }),
      http: post('/loads', { body: json({ maxBytes: 9 }) }),
    }),
    either: command({
      in: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), id: z.string(), a: z.string() }),
        z.object({ kind: z.literal('b'), id: z.string(), b: z.int() }),
      ]),
      http: post('/either/{id}'),
    }),
    typed: query({ in: v.object({ n: v.number() }), coerce: { n: 'integer' }, http: get('/typed') }),
    described: query({
      in: toStandardJsonSchema(v.object({ n: v.number() })),
      out: z.boolean(),
      http: get('/described'),
    }),
  },
);

const { document: given, warnings } = openApiOf([everything], { title: 'shop', servers: ['http://127.0.0.1:1'] });
const document: Document = JSON.parse(JSON.stringify(given));
const at = (path: string, method: string): Document => document.paths[path][method];
const parameters = (path: string, method: string): Document =>
  Object.fromEntries(at(path, method).parameters.map(({ name, ...rest }: Document) => [name, rest]));

describe('openApiOf', () => {
  it('gives a document that is valid, whatever the contract holds', async () => {
    await assertValidOpenApi(document);
    assert.deepEqual(
      [document.openapi, document.info, document.servers],
      ['3.1.0', { title: 'shop', version: 'shop 2' }, [{ url: 'http://127.0.0.1:1' }]],
    );
    assert.deepEqual(document.tags, [{ name: 'shop', description: 'Contract shop, version 2' }]);
    await assertValidOpenApi(openApiOf([], { title: 'nothing' }).document);
  });

  it('is judged by checks that can fail', async () => {
    const broken = (change: (copy: Document) => void): Promise<unknown> => {
      const copy = structuredClone(document);
      change(copy);
      return assert.rejects(assertValidOpenApi(copy));
    };
    await broken((copy) => delete copy.info.version);
    await broken((copy) => delete copy.paths['/search'].get.parameters[0].in);
    await broken((copy) => delete copy.components.schemas['shop.tree.input']);
    await broken((copy) => copy.paths['/items/{id}'].get.parameters.shift());
    await broken((copy) => Object.assign(copy.components.schemas['shop.tree.input'], { type: 7 }));
    await broken((copy) => Object.assign(copy.paths['/search'].get, { operationId: 'shop.item' }));
  });

  it('names every operation once, with its tag', () => {
    const operations = Object.values<Document>(document.paths).flatMap((item) => Object.values<Document>(item));
    assert.deepEqual(
      operations.map(({ operationId }) => operationId).toSorted(),
      Object.keys(everything.operations)
        .map((name) => `shop.${name}`)
        .toSorted(),
    );
    assert.ok(operations.every(({ tags }) => tags[0] === 'shop'));
  });

  it('puts fields where they travel, as their schema says', () => {
    assert.deepEqual(parameters('/search', 'get'), {
      text: { in: 'query', required: true, schema: { type: 'string', minLength: 2 } },
      below: { in: 'query', schema: { type: 'number' } },
      tags: {
        in: 'query',
        style: 'form',
        explode: true,
        schema: { type: 'array', items: { type: 'string', enum: ['a', 'b'] } },
      },
      page: {
        in: 'query',
        schema: { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991, default: 1 },
      },
    });
    const placed = parameters('/items/{id}', 'put');
    assert.deepEqual(Object.keys(placed), ['id', 'dry', 'if-match', 'sid', 'idempotency-key']);
    assert.deepEqual(
      [placed['if-match'].in, placed['if-match'].required, placed.sid.in, placed.sid.required, placed.dry.in],
      ['header', true, 'cookie', undefined, 'query'],
    );
    assert.deepEqual(parameters('/typed', 'get').n.schema, { type: 'integer' });
    assert.deepEqual(parameters('/described', 'get').n, { in: 'query', required: true, schema: { type: 'number' } });
  });

  it('is of one mind about a path whose parameters two operations call differently', () => {
    assert.deepEqual(Object.keys(document.paths['/items/{id}']), ['get', 'put', 'delete']);
    assert.equal(document.paths['/items/{sku}'], undefined);
  });

  it('leaves out of a body what travels elsewhere, in both directions', async () => {
    const compile = await assertValidOpenApi(document);
    const change = compile('shop.change.body');
    assert.deepEqual([change({ count: 1 }), change({ count: 'x' }), change({})], [true, false, false]);
    assert.deepEqual(document.components.schemas['shop.change.body'].required, ['count']);
    assert.deepEqual(Object.keys(document.components.schemas['shop.signIn.output'].properties), ['name']);
    assert.deepEqual(Object.keys(document.components.schemas['shop.item.output'].properties), ['id']);
    const either = compile('shop.either.body');
    assert.deepEqual([either({ kind: 'a', a: 'x' }), either({ kind: 'b', b: 'x' })], [true, false]);
    assert.deepEqual(Object.keys(at('/items/{id}', 'put').responses['201'].headers), ['location']);
    assert.deepEqual(Object.keys(at('/session', 'post').responses['200'].headers), ['set-cookie']);
    assert.deepEqual(Object.keys(at('/items/{id}', 'get').responses['200'].headers), ['etag']);
  });

  it('keeps references inside a schema, wherever the schema went', async () => {
    const compile = await assertValidOpenApi(document);
    for (const [name, value] of [
      ['shop.tree.input', { name: 'a', children: [{ name: 'b' }] }],
      ['shop.branch.body', { node: { name: 'a', children: [] } }],
    ] as const) {
      assert.equal(compile(name)(value), true);
    }
    assert.equal(compile('shop.tree.input')({ name: 'a', children: [{ name: 1 }] }), false);
    assert.equal(compile('shop.branch.body')({ node: { name: 'a', children: [{}] } }), false);
  });

  it('says how each kind of body is sent', async () => {
    const body = (path: string, method = 'post'): Document => at(path, method).requestBody;
    assert.deepEqual(Object.keys(body('/login').content), ['application/x-www-form-urlencoded']);
    assert.deepEqual(Object.keys(body('/albums/{id}').content), ['multipart/form-data']);
    assert.deepEqual(body('/albums/{id}').content['multipart/form-data'].encoding, {
      picture: { contentType: 'image/png' },
    });
    assert.deepEqual(body('/pictures/{id}', 'put').content, { 'image/png': {}, 'image/*': {} });
    assert.match(body('/loads').description, /At most 9 bytes/);
    const compile = await assertValidOpenApi(document);
    const album = compile('shop.album.form');
    assert.deepEqual(
      [album({ title: 'a', picture: ['x'] }), album({ picture: [] }), album({ title: 'a', picture: 'x' })],
      [true, false, false],
    );
    assert.equal(compile('shop.scan.form')({ any: ['x'] }), true);
    assert.equal(at('/items/{id}', 'get').requestBody, undefined);
    assert.deepEqual(Object.keys(parameters('/pictures/{id}', 'put')), ['id', 'quality']);
  });

  it('says what each kind of answer is', () => {
    const answer = (path: string, method: string, status: number): Document => at(path, method).responses[status];
    assert.deepEqual(Object.keys(answer('/prices', 'get', 200).content), ['application/x-ndjson', 'text/event-stream']);
    assert.deepEqual(answer('/films/{id}', 'get', 200).content, { 'video/mp4': {} });
    assert.ok(answer('/films/{id}', 'get', 304));
    assert.equal(answer('/items/{id}', 'delete', 204).content, undefined);
    assert.equal(answer('/shop/v2/seen', 'post', 202).content, undefined);
  });

  it('says its errors by status, each with its data', async () => {
    const { responses } = at('/items/{id}', 'get');
    assert.deepEqual(Object.keys(responses), ['200', '400', '404', '410', 'default']);
    const [gone, lost] = responses['410'].content['application/problem+json'].schema.oneOf;
    assert.deepEqual(gone.allOf[1].properties, {
      code: { const: 'GONE' },
      data: { $ref: '#/components/schemas/shop.item.GONE' },
    });
    assert.deepEqual(lost.allOf[1].properties, { code: { const: 'LOST' } });
    assert.deepEqual(Object.keys(at('/login', 'post').responses), ['204', '400', '413', '415', 'default']);
    const compile = await assertValidOpenApi(document);
    assert.equal(
      compile('Problem')({ type: 'about:blank', title: 't', status: 404, detail: 'd', code: 'X', executed: 'no' }),
      true,
    );
  });

  it('warns of what it could not say, and allows anything there', () => {
    assert.deepEqual(warnings, [
      'shop.reserve.input: its validator gives no JSON Schema, so the document allows anything there',
    ]);
    assert.deepEqual(at('/reservations', 'post').requestBody.content, { 'application/json': { schema: {} } });
  });

  it('tells versions of one contract apart', async () => {
    const first = contract(
      { name: 'shop', version: 1 },
      { item: query({ in: Key, out: Key, http: get('/v1/items/{id}') }) },
    );
    const both: Document = openApiOf([first, everything], { title: 'shop', version: '7.1' }).document;
    await assertValidOpenApi(both);
    assert.equal(both.info.version, '7.1');
    assert.equal(both.paths['/v1/items/{id}'].get.operationId, 'shop.v1.item');
    assert.equal(both.paths['/items/{id}'].get.operationId, 'shop.v2.item');
    assert.deepEqual(both.tags, [{ name: 'shop', description: 'Contract shop, version 1 and 2' }]);
  });
});
