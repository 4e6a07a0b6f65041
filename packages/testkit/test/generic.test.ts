import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Fleet, startFleet } from '@flotilla/testkit';
import { service } from 'flotilla';
import { bytes, command, contract, duplex, error, get, post, query, stream, upload } from 'flotilla/contract';
import { z } from 'zod';

const Book = z.object({ id: z.string(), pages: z.int().min(1), authors: z.array(z.object({ name: z.string() })) });
const books = contract(
  { name: 'books', version: 2 },
  {
    find: query({
      in: z.object({ id: z.string() }),
      out: Book,
      errors: { LOST: error(410, z.object({ id: z.string() })) },
      http: get('/books/{id}'),
    }),
    add: command({ in: Book, out: z.object({ id: z.string() }) }),
    pages: stream({ in: z.object({ to: z.int() }), out: z.object({ page: z.int() }) }),
    sum: upload({ in: z.object({ pages: z.int() }), out: z.int() }),
    doubled: duplex({ in: z.object({ page: z.int() }), out: z.object({ page: z.int() }) }),
    scan: command({
      in: z.object({ id: z.string() }),
      out: z.int(),
      http: post('/scans/{id}', { body: bytes({ type: 'image/png' }) }),
    }),
  },
);
const older = contract(
  { name: 'books', version: 1 },
  { find: query({ in: z.object({ id: z.string() }), out: z.string() }) },
);

const app = service('library');
let cancelled = Promise.withResolvers<void>();
let asked = 0;
app.handle(books, {
  find: ({ id }, call) => (id === 'lost' ? call.fail('LOST', { id }, 'burnt') : { id, pages: 3, authors: [] }),
  add({ id }) {
    asked++;
    return { id };
  },
  async *pages({ to }) {
    try {
      for (let page = 1; page <= to; page++) yield { page };
    } finally {
      cancelled.resolve();
    }
  },
  async sum(all) {
    let sum = 0;
    for await (const { pages } of all) sum += pages;
    return sum;
  },
  async *doubled(all) {
    for await (const { page } of all) yield { page: page * 2 };
  },
  scan: ({ id, body }) => body.byteLength + id.length,
});
app.handle(older, { find: ({ id }) => `the older ${id}` });

for (const transport of ['auto', 'http'] as const) {
  describe(`an operation is called by its name, with JSON, over ${transport === 'http' ? 'HTTP' : 'RSocket'}`, () => {
    let fleet: Fleet;
    before(async () => {
      asked = 0;
      fleet = await startFleet({ services: [{ app, config: { transport } }] });
    });
    after(() => fleet.stop());

    test('of a service, or of whichever serves the contract', async () => {
      const { call } = fleet.generic();
      const found = { id: 'a b', pages: 3, authors: [] };
      assert.deepEqual(await call('library', 'books.find', { id: 'a b' }), found);
      assert.deepEqual(await call(undefined, 'books.find', { id: 'a b' }), found);
    });

    test('in the version that is named, else in the highest', async () => {
      assert.equal(await fleet.generic().call('library', 'books@1.find', { id: 'a' }), 'the older a');
      await assert.rejects(fleet.generic().call('library', 'books@3.find', { id: 'a' }), {
        code: 'NO_INSTANCE',
        message: /nobody serves the contract "books" version 3; what is found serves books v2, books v1/,
      });
    });

    test('with bytes beside its fields', async () => {
      const scanned = await fleet.generic().call('library', 'books.scan', { id: 'ab', body: new Uint8Array(5) });
      assert.equal(scanned, 7);
    });

    test('what does not fit is refused field by field, and is not sent', async () => {
      const sent = fleet.generic().call('library', 'books.add', { id: 'a', pages: 0, authors: [{}] });
      await assert.rejects(sent, {
        code: 'INVALID_INPUT',
        executed: 'no',
        message: /books\.add does not take this: "pages": must be at least 1, got 0 \(and 1 more\)/,
        data: {
          issues: [
            { path: ['pages'], message: 'must be at least 1, got 0' },
            { path: ['authors', 0, 'name'], message: 'is missing' },
          ],
        },
      });
      assert.equal(asked, 0);
    });

    test('an error of the contract comes with its data', async () => {
      const lost = fleet.generic().call('library', 'books.find', { id: 'lost' });
      await assert.rejects(lost, { code: 'LOST', data: { id: 'lost' }, detail: 'burnt', fromPeer: true });
    });

    test('a stream comes element by element; who leaves it is heard by the handler', async () => {
      assert.deepEqual(await Array.fromAsync(fleet.generic().stream('library', 'books.pages', { to: 2 })), [
        { page: 1 },
        { page: 2 },
      ]);
      cancelled = Promise.withResolvers();
      for await (const _ of fleet.generic().stream('library', 'books.pages', { to: 1_000_000 })) break;
      await fleet.until(cancelled.promise);
    });

    test('many elements are sent as they are asked for, each one checked', async () => {
      async function* pages() {
        for (let n = 1; n <= 3; n++) yield { pages: n };
      }
      assert.equal(await fleet.generic().call('library', 'books.sum', pages()), 6);
      const doubled = fleet.generic().stream('library', 'books.doubled', [{ page: 1 }, { page: 2 }]);
      assert.deepEqual(await Array.fromAsync(doubled), [{ page: 2 }, { page: 4 }]);
      await assert.rejects(fleet.generic().call('library', 'books.sum', [{ pages: 1 }, { pages: 'x' }]), {
        code: 'INVALID_INPUT',
        message: /element 1 of books\.sum does not take this: "pages": must be an integer, got "x"/,
      });
      await assert.rejects(fleet.generic().call('library', 'books.sum', { pages: 1 }), {
        code: 'INVALID_INPUT',
        message: /books\.sum takes many elements: give it an iterable/,
      });
    });

    for (const [name, wanted, code, message] of [
      ['an operation that is not there', 'books.fnid', 'NO_ROUTE', /no operation "fnid"; did you mean "books.find"/],
      ['a contract that nobody serves', 'films.find', 'NO_INSTANCE', /nobody serves the contract "films"/],
      ['what names no operation', 'books', 'INVALID_INPUT', /"books" names no operation: write contract.operation/],
      [
        'a stream that is called for one answer',
        'books.pages',
        'INVALID_INPUT',
        /answers many elements: read them by stream/,
      ],
    ] as const) {
      test(`${name} is refused with what to do`, async () => {
        await assert.rejects(fleet.generic().call('library', wanted, { id: 'a', to: 1 }), { code, message });
      });
    }

    test('a service that is unknown is refused, and found once it is there', async () => {
      await assert.rejects(fleet.generic().call('archive', 'books.find', { id: 'a' }), { code: 'NO_INSTANCE' });
      const archive = service('archive');
      archive.handle(older, { find: ({ id }) => `archived ${id}` });
      await fleet.add(archive);
      assert.equal(await fleet.generic().call('archive', 'books.find', { id: 'a' }), 'archived a');
    });
  });
}
