import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Call, FlotillaError, sleep } from '@flotilla/core';
import { settle } from '@flotilla/core/testing';
import { isRepeatable, multipartBody } from '@flotilla/http';
import fc from 'fast-check';
import * as z from 'zod';
import { type Ask, Fleet, problemOf } from '../test/fleet.ts';
import {
  byteStream,
  bytes,
  command,
  contract,
  error,
  form,
  get,
  json,
  multipart,
  post,
  put,
  query,
  stream,
} from './contract/index.ts';
import { bind } from './handlers.ts';

const Order = z.object({
  product: z.string().min(1),
  count: z.number().int(),
  gift: z.boolean().optional(),
  tags: z.array(z.string()),
  note: z.string().optional(),
});
const Sizes = z.object({
  sizes: z.array(z.object({ field: z.string(), name: z.string(), type: z.string(), size: z.number() })),
});
const Size = z.object({ id: z.string(), size: z.number(), type: z.string().optional() });

const pictures = contract(
  { name: 'pictures', version: 1 },
  {
    order: command({ in: Order, out: Order, http: post('/orders', { body: form({ maxBytes: 200, maxFields: 6 }) }) }),
    dated: command({
      in: z.object({ day: z.string(), count: z.number() }),
      out: z.object({ day: z.string(), count: z.number() }),
      http: post('/days/{day}', { body: form() }),
    }),
    album: command({
      in: z.object({ id: z.string(), title: z.string(), year: z.number().optional() }),
      out: Sizes.extend({ title: z.string(), year: z.number().optional() }),
      errors: { FULL: error(409) },
      http: post('/albums/{id}', {
        body: multipart({
          type: ['image/*', 'text/plain'],
          maxBytes: 4_000,
          maxFiles: 2,
          maxFileBytes: 1_000,
          maxFields: 3,
          maxFieldBytes: 50,
          fileFields: ['picture', 'thumbnail'],
        }),
      }),
    }),
    strict: command({
      in: z.strictObject({ title: z.string() }),
      out: z.number(),
      http: post('/strict', { body: multipart({ field: 'scans', minFiles: 1 }) }),
    }),
    store: command({
      in: z.object({ id: z.string(), quality: z.number().optional() }),
      out: Size,
      http: put('/pictures/{id}', { body: bytes({ type: ['image/png', 'image/jpeg'], maxBytes: 20 }) }),
    }),
    upload: command({
      in: z.object({ id: z.string() }),
      out: Size,
      idempotent: true,
      http: put('/videos/{id}', { body: byteStream({ type: ['video/mp4', 'video/*'], maxBytes: 100 }) }),
    }),
    echo: command({ out: bytes(), http: post('/echo', { body: bytes({ field: 'raw' }) }) }),
    picture: query({
      in: z.object({ id: z.string() }),
      out: bytes({ type: ['image/png', 'image/gif'] }),
      errors: { GONE: error(410) },
      http: get('/pictures/{id}'),
    }),
    video: query({
      in: z.object({ id: z.string() }),
      out: byteStream({ type: 'video/mp4' }),
      errors: { GONE: error(410) },
      http: get('/videos/{id}'),
    }),
    large: command({
      in: z.object({ text: z.string() }),
      out: z.number(),
      http: post('/large', { body: json({ maxBytes: 30 }) }),
    }),
    scan: command({ out: z.number(), http: post('/scans', { body: bytes({ type: 'image/*' }) }) }),
    pause: command({ out: z.number(), http: post('/pauses', { body: byteStream() }) }),
    lines: stream({ out: z.number(), http: post('/lines', { body: byteStream() }) }),
  },
);

interface Seen {
  order: string[];
  read: number;
  failure: unknown;
  readonly goOn: PromiseWithResolvers<void>;
}

async function opened(): Promise<{ fleet: Fleet; seen: Seen }> {
  const fleet = new Fleet();
  const seen: Seen = { order: [], read: 0, failure: undefined, goOn: Promise.withResolvers() };
  const measured = async (content: AsyncIterable<Uint8Array>): Promise<number> => {
    let size = 0;
    try {
      for await (const chunk of content) {
        seen.read += chunk.byteLength;
        size += chunk.byteLength;
      }
    } catch (thrown) {
      seen.failure = thrown;
      throw thrown;
    }
    return size;
  };
  await fleet.serve([
    bind(pictures, {
      order: (order) => order,
      dated: (input) => input,
      async album({ title, year, files }, call) {
        seen.order.push('album');
        if (title === 'full') call.fail('FULL');
        const sizes: { field: string; name: string; type: string; size: number }[] = [];
        for await (const { field, name, type, content } of files) {
          sizes.push({ field, name, type, size: title === 'skip' ? -1 : await measured(content) });
        }
        return { title, sizes, ...(year === undefined ? undefined : { year }) };
      },
      async strict({ scans }) {
        let count = 0;
        for await (const _ of scans) count++;
        return count;
      },
      store: ({ id, body }) => ({ id, size: body.byteLength }),
      async upload({ id, body }) {
        seen.order.push('upload');
        if (id === 'unread') return { id, size: -1 };
        return { id, size: await measured(body.content), type: body.type };
      },
      echo: ({ raw }) => raw,
      picture({ id }, call) {
        if (id === 'gone') call.fail('GONE');
        if (id === 'gif') return { content: Uint8Array.of(2), type: 'image/gif' };
        if (id === 'wrong') {
          const content = Object.assign(one(Uint8Array.of(2)), { destroy: () => void seen.order.push('destroyed') });
          return { content, type: 'text/html' };
        }
        if (id === 'none') return undefined as never;
        return { content: Uint8Array.of(1, 2, 3), etag: 'v1', name: '../a "ü".png' };
      },
      video({ id }, call) {
        if (id === 'gone') call.fail('GONE');
        return {
          content: (async function* () {
            try {
              yield Uint8Array.of(1);
              if (id === 'broken') throw new Error('disk');
              if (id === 'short') return;
              yield Uint8Array.of(2, 3);
            } finally {
              seen.order.push('video ended');
            }
          })(),
          ...(id === 'endless' ? {} : { length: 3 }),
        };
      },
      large: ({ text }) => text.length,
      scan: ({ body }) => body.byteLength,
      async pause({ body }) {
        let size = 0;
        for await (const chunk of body.content) {
          size += chunk.byteLength;
          await seen.goOn.promise;
        }
        return size;
      },
      async *lines({ body }) {
        for await (const chunk of body.content) yield chunk.byteLength;
      },
    }),
  ]);
  return { fleet, seen };
}

const formType = { 'content-type': 'application/x-www-form-urlencoded' };
const utf8 = new TextEncoder();

describe('a form by hand', () => {
  it('is coerced as a query is', async () => {
    const { fleet } = await opened();
    const { json: order } = await fleet.ask('/orders', {
      headers: formType,
      body: 'product=a+b%21&count=2&gift=true&tags=x',
    });
    assert.deepEqual(order, { product: 'a b!', count: 2, gift: true, tags: ['x'] });
    const several = await fleet.ask('/orders', { headers: formType, body: 'product=a&count=2&tags=x&tags=y' });
    assert.deepEqual((several.json as { tags: unknown }).tags, ['x', 'y']);
    const none = await fleet.ask('/orders', { headers: formType, body: 'product=a&count=2' });
    assert.deepEqual((none.json as { tags: unknown }).tags, []);
    fleet.assertIdle();
  });

  it('leaves fields of the path to the path', async () => {
    const { fleet } = await opened();
    const { json } = await fleet.ask('/days/monday', { headers: formType, body: 'count=1' });
    assert.deepEqual(json, { day: 'monday', count: 1 });
    const problem = problemOf(await fleet.ask('/days/monday', { headers: formType, body: 'count=1&day=friday' }));
    assert.match(problem.detail, /"day": belongs in the path, not in the form/);
  });

  const bad: [claim: string, ask: Ask, code: string, detail: RegExp][] = [
    ['a field that does not fit', { body: 'product=a&count=two' }, 'INVALID_INPUT', /"count"/],
    ['no body', { method: 'POST' }, 'INVALID_INPUT', /"product"/],
    ['a broken escape', { body: 'product=%&count=1' }, 'MALFORMED_REQUEST', /"product"/],
    ['too many fields', { body: 'a=1&a=1&a=1&a=1&a=1&a=1&a=1' }, 'BODY_TOO_LARGE', /limit of 6 fields/],
    ['too many bytes', { body: `note=${'x'.repeat(200)}` }, 'BODY_TOO_LARGE', /limit of 200 bytes/],
    ['a field that changes prototypes', { body: '__proto__=1' }, 'INVALID_INPUT', /no field may have this name/],
    [
      'JSON',
      { headers: { 'content-type': 'application/json' }, body: {} },
      'UNSUPPORTED_MEDIA_TYPE',
      /takes application\/x-www-form-urlencoded, got "application\/json"/,
    ],
    [
      'another charset',
      { headers: { 'content-type': 'application/x-www-form-urlencoded; charset=latin1' }, body: 'a=1' },
      'UNSUPPORTED_MEDIA_TYPE',
      /UTF-8/,
    ],
    [
      'a compressed body',
      { headers: { ...formType, 'content-encoding': 'gzip' }, body: 'a=1' },
      'UNSUPPORTED_MEDIA_TYPE',
      /no content-encoding, got "gzip"/,
    ],
  ];
  for (const [claim, ask, code, detail] of bad) {
    it(`${claim} is ${code}`, async () => {
      const { fleet } = await opened();
      const problem = problemOf(await fleet.ask('/orders', { headers: formType, ...ask }));
      assert.equal(problem.code, code);
      assert.match(problem.detail, detail);
      assert.equal(problem.executed, 'no');
      fleet.assertIdle();
    });
  }

  it('names what is accepted and what the limit is, for programs too', async () => {
    const { fleet } = await opened();
    const type = problemOf(await fleet.ask('/orders', { body: {} }));
    assert.deepEqual([type.status, type.data], [415, { accepted: ['application/x-www-form-urlencoded'] }]);
    const size = problemOf(
      await fleet.ask('/orders', {
        headers: { ...formType, 'content-length': '201' },
        body: `note=${'x'.repeat(196)}`,
      }),
    );
    assert.deepEqual([size.status, size.data], [413, { maxBytes: 200 }]);
  });

  it('JSON has a limit of its own where the contract says one', async () => {
    const { fleet } = await opened();
    assert.equal((await fleet.ask('/large', { body: { text: 'abc' } })).text, '3');
    assert.deepEqual(problemOf(await fleet.ask('/large', { body: { text: 'x'.repeat(30) } })).data, { maxBytes: 30 });
  });
});

type Sent = readonly (readonly [name: string, text: string, file?: { name: string; type?: string }])[];

function multipartAsk(parts: Sent): Ask {
  const { contentType } = multipartBody([], 'xyz');
  const text = parts
    .map(([name, value, file]) => {
      const head = `content-disposition: form-data; name="${name}"`;
      if (!file) return `--xyz\r\n${head}\r\n\r\n${value}\r\n`;
      const type = file.type === undefined ? '' : `content-type: ${file.type}\r\n`;
      return `--xyz\r\n${head}; filename="${file.name}"\r\n${type}\r\n${value}\r\n`;
    })
    .join('');
  return { headers: { 'content-type': contentType }, body: `${text}--xyz--\r\n` };
}

const png = { name: 'a.png', type: 'image/png' };

describe('a form with files by hand', () => {
  it('gives its fields coerced and its files one after the other', async () => {
    const { fleet } = await opened();
    const sent: Sent = [
      ['title', 'sea'],
      ['year', '1999'],
      ['picture', 'abc', { name: 'C:\\up\\..\\a.png', type: 'image/png' }],
      ['thumbnail', '', png],
    ];
    const { json, status } = await fleet.ask('/albums/7', multipartAsk(sent));
    assert.equal(status, 200);
    assert.deepEqual(json, {
      title: 'sea',
      year: 1999,
      sizes: [
        { field: 'picture', name: 'a.png', type: 'image/png', size: 3 },
        { field: 'thumbnail', name: 'a.png', type: 'image/png', size: 0 },
      ],
    });
    fleet.assertIdle();
  });

  it('takes a file input in which no file was chosen for none', async () => {
    const { fleet } = await opened();
    const nothing = { name: '', type: 'application/octet-stream' };
    const { json } = await fleet.ask(
      '/albums/7',
      multipartAsk([
        ['title', 'sea'],
        ['picture', '', nothing],
      ]),
    );
    assert.deepEqual(json, { title: 'sea', sizes: [] });
    const unnamed = await fleet.ask(
      '/albums/7',
      multipartAsk([
        ['title', 'sea'],
        ['picture', 'abc', { ...png, name: '' }],
      ]),
    );
    assert.deepEqual(
      (unnamed.json as { sizes: { name: string; size: number }[] }).sizes.map(({ name, size }) => [name, size]),
      [['file', 3]],
    );
  });

  it('a handler may leave files unread', async () => {
    const { fleet } = await opened();
    const sent: Sent = [
      ['title', 'skip'],
      ['picture', 'abc', png],
      ['picture', 'abc', png],
    ];
    const { json } = await fleet.ask('/albums/7', multipartAsk(sent));
    assert.deepEqual(
      (json as { sizes: { size: number }[] }).sizes.map(({ size }) => size),
      [-1, -1],
    );
    const failed = problemOf(
      await fleet.ask(
        '/albums/7',
        multipartAsk([
          ['title', 'full'],
          ['picture', 'abc', png],
        ]),
      ),
    );
    assert.equal(failed.code, 'FULL');
    fleet.assertIdle();
  });

  it('a strict schema sees its fields alone', async () => {
    const { fleet } = await opened();
    assert.equal(
      (
        await fleet.ask(
          '/strict',
          multipartAsk([
            ['title', 'a'],
            ['x', 'b', png],
          ]),
        )
      ).text,
      '1',
    );
  });

  const before: [claim: string, path: string, sent: Sent, code: string, detail: RegExp][] = [
    [
      'a field that does not fit',
      '/albums/7',
      [
        ['title', 'a'],
        ['year', 'x'],
      ],
      'INVALID_INPUT',
      /"year"/,
    ],
    ['too few files', '/strict', [['title', 'a']], 'INVALID_INPUT', /"scans": at least 1 file is needed, got 0/],
    [
      'a file in another field',
      '/albums/7',
      [
        ['title', 'a'],
        ['x', '', png],
      ],
      'INVALID_INPUT',
      /"x": no file belongs here; files belong in picture, thumbnail/,
    ],
    [
      'a file of another type',
      '/albums/7',
      [
        ['title', 'a'],
        ['picture', '', { ...png, type: 'text/html' }],
      ],
      'UNSUPPORTED_MEDIA_TYPE',
      /"picture" of pictures.album takes image\/\*, text\/plain, got "text\/html"/,
    ],
    [
      'too many fields',
      '/albums/7',
      [
        ['a', ''],
        ['a', ''],
        ['a', ''],
        ['a', ''],
      ],
      'BODY_TOO_LARGE',
      /limit of 3 fields/,
    ],
    [
      'a field that is too large',
      '/albums/7',
      [['title', 'x'.repeat(51)]],
      'BODY_TOO_LARGE',
      /field "title" is larger than the limit of 50 bytes/,
    ],
    [
      'a field that changes prototypes',
      '/albums/7',
      [['__proto__', 'a']],
      'INVALID_INPUT',
      /no field may have this name/,
    ],
  ];
  for (const [claim, path, sent, code, detail] of before) {
    it(`${claim} is ${code}, and no handler runs`, async () => {
      const { fleet, seen } = await opened();
      const problem = problemOf(await fleet.ask(path, multipartAsk(sent)));
      assert.equal(problem.code, code);
      assert.match(problem.detail, detail);
      assert.equal(problem.executed, 'no');
      assert.deepEqual(seen.order, []);
      fleet.assertIdle();
    });
  }

  const during: [claim: string, sent: Sent, code: string, detail: RegExp][] = [
    [
      'a file that is too large',
      [
        ['title', 'a'],
        ['picture', 'x'.repeat(1_001), png],
      ],
      'BODY_TOO_LARGE',
      /file "a.png" is larger than the limit of 1000 bytes/,
    ],
    [
      'too many files',
      [
        ['title', 'a'],
        ['picture', '', png],
        ['picture', '', png],
        ['picture', '', png],
      ],
      'BODY_TOO_LARGE',
      /limit of 2 files/,
    ],
    [
      'a field behind a file',
      [
        ['title', 'a'],
        ['picture', '', png],
        ['year', '1999'],
      ],
      'INVALID_INPUT',
      /"year": stands behind a file: send fields first/,
    ],
    [
      'too many bytes',
      [
        ['title', 'a'],
        ['picture', 'x'.repeat(900), png],
        ['picture', 'x'.repeat(900), png],
        ['x', 'x'.repeat(3_000), png],
      ],
      'BODY_TOO_LARGE',
      /limit of 4000 bytes/,
    ],
  ];
  for (const [claim, sent, code, detail] of during) {
    it(`${claim} is ${code}, when the handler comes to it`, async () => {
      const { fleet } = await opened();
      const problem = problemOf(await fleet.ask('/albums/7', multipartAsk(sent)));
      assert.equal(problem.code, code);
      assert.match(problem.detail, detail);
      fleet.assertIdle();
    });
  }

  it('a field that is missed because it stands behind a file is told where to stand', async () => {
    const { fleet } = await opened();
    const problem = problemOf(
      await fleet.ask(
        '/albums/7',
        multipartAsk([
          ['picture', '', png],
          ['title', 'a'],
        ]),
      ),
    );
    assert.match(problem.detail, /"title": .*; fields behind a file are not read: send fields first/);
  });

  it('another type, no boundary and no body are refused', async () => {
    const { fleet } = await opened();
    assert.deepEqual(problemOf(await fleet.ask('/albums/7', { body: {} })).data, { accepted: ['multipart/form-data'] });
    for (const ask of [
      { method: 'POST' },
      { headers: { 'content-type': 'multipart/form-data' }, body: 'x' },
    ] as Ask[]) {
      assert.equal(problemOf(await fleet.ask('/albums/7', ask)).code, 'MALFORMED_REQUEST');
    }
  });
});

describe('bytes by hand', () => {
  it('are a field beside those of path and query', async () => {
    const { fleet } = await opened();
    const ask: Ask = { method: 'PUT', headers: { 'content-type': 'image/png' }, body: 'abc', query: 'quality=3' };
    assert.deepEqual((await fleet.ask('/pictures/7', ask)).json, { id: '7', size: 3 });
    const bad = problemOf(await fleet.ask('/pictures/7', { ...ask, query: 'quality=high' }));
    assert.match(bad.detail, /"quality"/);
    assert.deepEqual((await fleet.ask('/pictures/7', { method: 'PUT' })).json, { id: '7', size: 0 });
  });

  it('of another type, without a type, and too many are refused', async () => {
    const { fleet, seen } = await opened();
    const put = (headers: Record<string, string>, body: string, path = '/pictures/7') =>
      fleet.ask(path, { method: 'PUT', headers, body }).then(problemOf);
    const type = await put({ 'content-type': 'image/webp' }, 'abc');
    assert.deepEqual([type.status, type.data], [415, { accepted: ['image/png', 'image/jpeg'] }]);
    assert.match(type.detail, /pictures.store takes image\/png, image\/jpeg, got "image\/webp"/);
    const size = await put({ 'content-type': 'image/png' }, 'x'.repeat(21));
    assert.deepEqual([size.status, size.data], [413, { maxBytes: 20 }]);
    const declared = await put({ 'content-type': 'video/mp4', 'content-length': '101' }, 'x'.repeat(101), '/videos/7');
    assert.match(declared.detail, /limit of 100 bytes: it says that it has 101/);
    assert.deepEqual(seen.order, [], 'a length that says too much needs no handler');
    const coded = await put({ 'content-type': 'image/png', 'content-encoding': 'br' }, 'x');
    assert.equal(coded.code, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('come with their type, and again with the facts that their handler gives', async () => {
    const { fleet } = await opened();
    const { headers, status, text } = await fleet.ask('/pictures/7');
    assert.equal(status, 200);
    assert.deepEqual(
      [...headers].filter(([name]) => name !== 'date'),
      [
        ['content-type', 'image/png'],
        ['x-content-type-options', 'nosniff'],
        [
          'content-disposition',
          `attachment; filename="a _ _.png"; filename*=UTF-8''a%20_%C3%BC_.png`.replace('a _ _', 'a ___'),
        ],
        ['etag', '"v1"'],
        ['content-length', '3'],
      ],
    );
    assert.equal(text, '\u0001\u0002\u0003');
    assert.equal((await fleet.ask('/pictures/gif')).headers.get('content-type'), 'image/gif');
    const streamed = await fleet.ask('/videos/7');
    assert.deepEqual([streamed.headers.get('content-length'), streamed.text], ['3', '\u0001\u0002\u0003']);
    assert.equal((await fleet.ask('/videos/endless')).headers.get('content-length'), undefined);
  });

  it('that the caller has are not sent again', async () => {
    const { fleet } = await opened();
    for (const known of ['"v1"', 'W/"v1"', '"v0", "v1"', '*']) {
      const { status, headers, text } = await fleet.ask('/pictures/7', { headers: { 'if-none-match': known } });
      assert.deepEqual([status, headers.get('etag'), text], [304, '"v1"', ''], known);
    }
    assert.equal((await fleet.ask('/pictures/7', { headers: { 'if-none-match': '"v0"' } })).status, 200);
  });

  it("of a type that the contract does not name, or none at all, are the handler's fault", async () => {
    const { fleet, seen } = await opened();
    for (const id of ['wrong', 'none']) assert.equal(problemOf(await fleet.ask(`/pictures/${id}`)).code, 'INTERNAL');
    assert.deepEqual(seen.order, ['destroyed'], 'what is not sent is closed');
    assert.equal(problemOf(await fleet.ask('/pictures/gone')).code, 'GONE');
  });

  it('that break in the middle break the answer off, and are logged', async () => {
    const { fleet, seen } = await opened();
    await assert.rejects(fleet.ask('/videos/broken'), { code: 'CONNECTION_LOST' });
    assert.deepEqual(
      fleet.lines.map(({ fields }) => [fields['operation'], String(fields['cause'])]),
      [['pictures.video', 'Error: disk']],
    );
    await assert.rejects(fleet.ask('/videos/short'), { code: 'CONNECTION_LOST' });
    await settle();
    assert.deepEqual(seen.order, ['video ended', 'video ended']);
    fleet.assertIdle();
  });

  it('of HEAD are not read, and their stream is released', async () => {
    const { fleet } = await opened();
    const { headers, text } = await fleet.ask('/videos/7', { method: 'HEAD' });
    assert.deepEqual([headers.get('content-length'), text], ['3', '']);
    fleet.assertIdle();
  });
});

describe('a client', () => {
  it('sends forms, and gets what a form gives', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          product: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }).filter((text) => text.isWellFormed()),
          count: fc.integer(),
          tags: fc.array(fc.constantFrom('a', '&', '=', '+ ', '%', 'é'), { maxLength: 2 }),
        }),
        async (order) => {
          const { fleet } = await opened();
          assert.deepEqual(await fleet.client(pictures).order(order), { ...order });
        },
      ),
      { numRuns: 50 },
    ));

  it('sends files of bytes, blobs and streams', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('bytes', 'blob', 'file', 'stream'), fc.uint8Array({ maxLength: 300 })), {
          maxLength: 2,
        }),
        async (files) => {
          const { fleet } = await opened();
          const content = (kind: string, given: Uint8Array) => {
            const bytes = Uint8Array.from(given);
            if (kind === 'bytes') return bytes;
            if (kind === 'stream') return one(bytes);
            return kind === 'blob'
              ? new Blob([bytes], { type: 'image/gif' })
              : new File([bytes], 'b.gif', { type: 'image/gif' });
          };
          const answer = await fleet.client(pictures).album({
            id: '7',
            title: 'a & b',
            files: files.map(([kind, given]) => ({
              field: 'picture',
              content: content(kind, given),
              ...(kind === 'bytes' || kind === 'stream' ? { name: 'x/"ü".png', type: 'image/png' } : {}),
            })),
          });
          assert.deepEqual(answer, {
            title: 'a & b',
            sizes: files.map(([kind, given]) => ({
              field: 'picture',
              name: kind === 'file' ? 'b.gif' : kind === 'blob' ? 'file' : '_ü_.png',
              type: kind === 'blob' || kind === 'file' ? 'image/gif' : 'image/png',
              size: given.byteLength,
            })),
          });
          fleet.assertIdle();
        },
      ),
      { numRuns: 50 },
    ));

  it('sends bytes and gets bytes', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200_000 }), fc.boolean(), async (given, blob) => {
        const { fleet } = await opened();
        const answered = await fleet.client(pictures).echo({ raw: blob ? new Blob([Uint8Array.from(given)]) : given });
        assert.deepEqual(Buffer.from(answered), Buffer.from(given));
      }),
      { numRuns: 20 },
    ));

  it('says the type and the length of what it sends, where it knows them', async () => {
    const { fleet } = await opened();
    const client = fleet.client(pictures);
    assert.deepEqual(await client.store({ id: '1', quality: 2, body: Uint8Array.of(1) }), { id: '1', size: 1 });
    assert.deepEqual(await client.upload({ id: '1', body: { content: one(utf8.encode('abc')), type: 'video/webm' } }), {
      id: '1',
      size: 3,
      type: 'video/webm',
    });
    assert.deepEqual(await client.upload({ id: '1', body: new Blob(['abcd'], { type: 'video/mp4' }) }), {
      id: '1',
      size: 4,
      type: 'video/mp4',
    });
    await assert.rejects(client.store({ id: '1', body: { content: Uint8Array.of(1), type: 'no type' } }), {
      code: 'INVALID_INPUT',
      detail: /"body" has the type "no type"/,
    });
    await assert.rejects(client.store({ id: '1', body: 'text' as never }), {
      code: 'INVALID_INPUT',
      detail: /"body" must be bytes/,
    });
    await assert.rejects(client.scan({ body: Uint8Array.of(1) }), {
      code: 'INVALID_INPUT',
      detail: /"body" needs a type, as in \{ content, type \}: image\/\*/,
    });
    await assert.rejects(client.store({ id: '1' } as never), { code: 'INVALID_INPUT', detail: /"body" is missing/ });
    await assert.rejects(client.album({ id: '1', title: '', files: {} as never }), {
      detail: /must be a list of files/,
    });
  });

  it('bytes and blobs can be sent again, streams cannot', async () => {
    const { fleet } = await opened();
    const repeatable: boolean[] = [];
    const handle = fleet.endpoint.handle.bind(fleet.endpoint);
    Object.assign(fleet.endpoint, {
      handle: (request: Parameters<typeof handle>[0], call: Call) => {
        repeatable.push(isRepeatable(request.body));
        return handle(request, call);
      },
    });
    const client = fleet.client(pictures);
    for (const body of [Uint8Array.of(1), new Blob(['a'], { type: 'video/mp4' }), one(Uint8Array.of(1))]) {
      await client.upload({ id: '1', body });
      await client.album({ id: '1', title: '', files: [{ field: 'picture', type: 'image/png', content: body }] });
    }
    assert.deepEqual(repeatable, [true, true, true, true, false, false]);
  });

  it('gets a stream of bytes with its facts, at its own pace', async () => {
    const { fleet } = await opened();
    const { type, length, name, etag, content } = await fleet.client(pictures).video({ id: '7' });
    assert.deepEqual([type, length, name, etag], ['video/mp4', 3, undefined, undefined]);
    assert.deepEqual(Buffer.concat(await Array.fromAsync(content)), Buffer.of(1, 2, 3));
    await settle();
    fleet.assertIdle();
  });

  it('who leaves or cancels a stream of bytes ends it', async () => {
    for (const how of ['leave', 'cancel', 'cancel unread']) {
      const { fleet, seen } = await opened();
      const video = await fleet.client(pictures).video({ id: '7' });
      if (how !== 'cancel unread') for await (const _ of video.content) break;
      if (how !== 'leave') video.cancel();
      await settle();
      fleet.assertIdle();
      if (how === 'leave') assert.deepEqual(seen.order, ['video ended']);
    }
  });

  it('a time-out holds for the head of a stream of bytes, not for its bytes', async () => {
    const { fleet } = await opened();
    const { content } = await fleet.client(pictures, { timeoutMs: 100 }).video({ id: '7' });
    await fleet.clock.advance(1_000);
    assert.equal((await Array.fromAsync(content)).length > 0, true);
  });

  it('gets errors as from any operation', async () => {
    const { fleet } = await opened();
    const client = fleet.client(pictures);
    await assert.rejects(client.picture({ id: 'gone' }), { code: 'GONE' });
    await assert.rejects(client.video({ id: 'gone' }), { code: 'GONE' });
    await assert.rejects(client.order({ product: '', count: 1, tags: [] }), { code: 'INVALID_INPUT' });
    await settle();
    fleet.assertIdle();
  });

  it('sends bytes to a stream of elements', async () => {
    const { fleet } = await opened();
    const sizes = await Array.fromAsync(fleet.client(pictures).lines({ body: one(Uint8Array.of(1, 2, 3)) }));
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      3,
    );
  });
});

describe('a body that streams', () => {
  it('is taken at the pace of its handler', async () => {
    const { fleet, seen } = await opened();
    let sent = 0;
    const source = (async function* () {
      for (let i = 0; i < 100; i++) {
        sent++;
        yield new Uint8Array(50_000);
      }
    })();
    const reply = fleet.client(pictures).pause({ body: source });
    await settle();
    assert.ok(sent < 20, `${sent} chunks were taken before the handler read more than one`);
    seen.goOn.resolve();
    assert.equal(await reply, 5_000_000);
    fleet.assertIdle();
  });

  it('ends with the deadline, for sender and handler', async () => {
    const { fleet, seen } = await opened();
    let left = false;
    const endless = (async function* () {
      try {
        yield Uint8Array.of(1);
        await sleep(1_000_000, fleet.call());
      } finally {
        left = true;
      }
    })();
    const reply = fleet.client(pictures).upload({ id: '1', body: endless }, undefined, { timeoutMs: 100 });
    reply.catch(() => undefined);
    await settle();
    await fleet.clock.advance(100);
    await assert.rejects(reply, { code: 'DEADLINE_EXCEEDED' });
    await settle();
    assert.ok(seen.failure instanceof FlotillaError);
    await fleet.clock.advance(1_000_000);
    assert.equal(left, true);
  });

  it('ends with its caller', async () => {
    const { fleet, seen } = await opened();
    const call = fleet.call();
    const held = Promise.withResolvers<never>();
    held.promise.catch(() => undefined);
    const source = (async function* () {
      yield Uint8Array.of(1);
      await held.promise;
    })();
    const reply = fleet.client(pictures).upload({ id: '1', body: source }, call);
    reply.catch(() => undefined);
    await settle();
    call.cancel();
    await assert.rejects(reply, { code: 'CANCELLED' });
    await settle();
    assert.equal((seen.failure as FlotillaError).code, 'CANCELLED');
  });

  it('that is over its limit is refused at the first byte over it, and its sender stops', async () => {
    const { fleet, seen } = await opened();
    let sent = 0;
    const source = (async function* () {
      for (;;) {
        sent++;
        yield new Uint8Array(30);
      }
    })();
    await assert.rejects(fleet.client(pictures).upload({ id: '1', body: source }), {
      code: 'BODY_TOO_LARGE',
      data: { maxBytes: 100 },
    });
    await settle();
    const after = sent;
    await settle();
    assert.equal(sent, after);
    assert.equal(seen.read, 90);
    fleet.assertIdle();
  });

  it('that a handler leaves unread is left by its sender too', async () => {
    const { fleet } = await opened();
    let left = false;
    const source = (async function* () {
      try {
        for (;;) yield new Uint8Array(10);
      } finally {
        left = true;
      }
    })();
    assert.deepEqual(await fleet.client(pictures).upload({ id: 'unread', body: source }), { id: 'unread', size: -1 });
    await settle();
    assert.equal(left, true);
    fleet.assertIdle();
  });
});

async function* one(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
