import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import {
  byteStream,
  bytes,
  command,
  contract,
  contractHash,
  describeContracts,
  form,
  get,
  json,
  multipart,
  notify,
  type Operations,
  post,
  put,
  query,
  stream,
} from './index.ts';

const one = (operation: Operations[string]) => contract({ name: 'shop', version: 1 }, { one: operation });
const mappingOf = (operation: Operations[string]) => one(operation).http.get('one');
const Key = z.object({ id: z.string(), page: z.number().optional() });

describe('a body in a contract', () => {
  it('has its limits and its defaults in the mapping, which is plain JSON', () => {
    const mappings = [
      mappingOf(command({ in: Key, http: post('/x', { body: form() }) })),
      mappingOf(command({ http: post('/x', { body: multipart({ maxBytes: 5_000 }) }) })),
      mappingOf(command({ http: post('/x', { body: bytes() }) })),
      mappingOf(command({ http: post('/x', { body: byteStream({ type: ['image/*', 'text/plain'], field: 'raw' }) }) })),
      mappingOf(command({ in: Key, http: post('/x', { body: json({ maxBytes: 7 }) }) })),
    ];
    assert.deepEqual(
      mappings.map((mapping) => mapping?.body),
      [
        { kind: 'form', maxBytes: 1_048_576, maxFields: 1_000 },
        {
          kind: 'multipart',
          field: 'files',
          maxBytes: 5_000,
          maxFields: 100,
          maxFieldBytes: 65_536,
          minFiles: 0,
          maxFiles: 10,
          maxFileBytes: 5_000,
          maxPartHeaderBytes: 4_096,
          types: ['*/*'],
          fileFields: [],
        },
        { kind: 'bytes', field: 'body', maxBytes: 1_048_576, types: ['application/octet-stream'] },
        { kind: 'byteStream', field: 'raw', maxBytes: 10_485_760, types: ['image/*', 'text/plain'] },
        { kind: 'json', maxBytes: 7 },
      ],
    );
    assert.deepEqual(JSON.parse(JSON.stringify(mappings)), mappings);
  });

  it('of bytes leaves the other fields to path and query, one of a form takes them', () => {
    const store = mappingOf(command({ in: Key, http: put('/x/{id}', { body: bytes() }) }));
    assert.deepEqual([store?.rest, Object.keys(store?.texts ?? {})], ['query', ['id', 'page']]);
    const login = mappingOf(command({ in: Key, http: put('/x/{id}', { body: form() }) }));
    assert.deepEqual([login?.rest, login?.texts['page']?.types], ['body', ['number']]);
    assert.equal(mappingOf(command({ http: put('/x', { body: bytes() }) }))?.rest, 'none');
  });

  it('takes types from coerce where the schema gives none', () => {
    const byHand = { '~standard': { version: 1, vendor: 'hand', validate: (value: unknown) => ({ value }) } } as const;
    const mapping = mappingOf(command({ in: byHand, coerce: { id: 'integer' }, http: post('/x', { body: form() }) }));
    assert.deepEqual(mapping?.texts['id']?.types, ['integer']);
    assert.throws(
      () => one(command({ in: byHand, http: post('/x', { body: form() }) })),
      /the fields of the form are unknown/,
    );
  });

  it('is part of what a contract says on the wire', () => {
    const plain = one(command({ in: Key, http: post('/x') }));
    const asForm = one(command({ in: Key, http: post('/x', { body: form() }) }));
    assert.notEqual(contractHash(plain), contractHash(asForm));
    assert.deepEqual(describeContracts([asForm])[0]?.operations[0]?.http.body, {
      kind: 'form',
      maxBytes: 1_048_576,
      maxFields: 1_000,
    });
    assert.deepEqual(mappingOf(query({ out: byteStream({ type: 'video/mp4' }), http: get('/x') }))?.answer, {
      kind: 'byteStream',
      types: ['video/mp4'],
    });
  });

  const mistakes: [claim: string, operation: () => Operations[string], mistake: RegExp][] = [
    [
      'a body of GET',
      () => query({ in: Key, http: get('/x', { body: form() } as object) }),
      /a body needs POST, PUT or PATCH, not GET/,
    ],
    [
      'a form without input',
      () => command({ http: post('/x', { body: form() }) }),
      /form\(\) reads an input, but there is none/,
    ],
    [
      'an object in a form',
      () => command({ in: z.object({ a: z.object({}) }), http: post('/x', { body: form() }) }),
      /"a" is an object: it cannot travel as text/,
    ],
    [
      'a field that is taken',
      () => command({ in: z.object({ body: z.string() }), http: post('/x', { body: bytes() }) }),
      /bytes\(\) fills "body", which is a field of the input/,
    ],
    [
      'files in a field that is taken',
      () => command({ in: z.object({ files: z.string() }), http: post('/x', { body: multipart() }) }),
      /multipart\(\) fills "files"/,
    ],
    [
      'a field with no name',
      () => command({ http: post('/x', { body: bytes({ field: '__proto__' }) }) }),
      /cannot be the name of a field/,
    ],
    [
      'a limit that is none',
      () => command({ http: post('/x', { body: bytes({ maxBytes: -1 }) }) }),
      /bytes\(\): maxBytes must be a whole number from 1 on, got -1/,
    ],
    [
      'a limit that is NaN',
      () => command({ in: Key, http: post('/x', { body: json({ maxBytes: Number.NaN }) }) }),
      /json\(\): maxBytes/,
    ],
    [
      'fewer files than needed',
      () => command({ http: post('/x', { body: multipart({ minFiles: 2, maxFiles: 1 }) }) }),
      /minFiles 2 is more than maxFiles 1/,
    ],
    [
      'a type that is none',
      () => command({ http: post('/x', { body: bytes({ type: 'png' }) }) }),
      /"png" is no media type/,
    ],
    ['no type at all', () => command({ http: post('/x', { body: bytes({ type: [] }) }) }), /type names no media type/],
    [
      'an answer of a range alone',
      () => query({ out: bytes({ type: 'image/*' }) }),
      /needs a media type that is no range/,
    ],
    ['bytes as elements', () => stream({ out: bytes() as never }), /a stream has elements of JSON/],
    [
      'an answer of bytes in a header',
      () => query({ out: bytes(), http: get('/x', { responseHeader: { a: 'x-a' } }) }),
      /"a" of the output cannot be bound: it is bytes/,
    ],
    [
      'an answer of bytes in a location',
      () => command({ out: bytes(), http: post('/x', { location: '/x/{id}' }) }),
      /location names "id", but the output is bytes/,
    ],
  ];
  for (const [claim, operation, mistake] of mistakes) {
    it(`refuses ${claim}`, () => assert.throws(() => one(operation()), { code: 'CONTRACT_INVALID', message: mistake }));
  }

  it('can be had by every kind of operation', () => {
    one(notify({ http: post('/x', { body: bytes() }) }));
    one(stream({ http: post('/x', { body: multipart() }) }));
  });
});
