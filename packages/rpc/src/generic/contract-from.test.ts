import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { Fleet } from '../../test/fleet.ts';
import {
  command,
  contract,
  contractHash,
  contractText,
  describeContracts,
  error,
  get,
  notify,
  post,
  query,
  stream,
} from '../contract/index.ts';
import { bind } from '../handlers.ts';
import { contractFrom } from './contract-from.ts';

const Key = z.object({ id: z.string() });
const shop = contract(
  { name: 'shop', version: 3 },
  {
    item: query({ in: Key, out: Key, errors: { GONE: error(410, Key) }, http: get('/items/{id}') }),
    order: command({
      in: z.object({ count: z.int().default(1) }),
      out: z.object({ tag: z.string(), count: z.int() }),
      http: post('/orders', { status: 201, responseHeader: { tag: 'etag' } }),
    }),
    seen: notify({ in: Key }),
    counts: stream({ in: z.object({ to: z.int() }), out: z.int() }),
    clear: command({}),
  },
);
const documents = {
  'its text': JSON.parse(contractText(shop)) as unknown,
  'its description': JSON.parse(JSON.stringify(describeContracts([shop])[0]?.operations)) as unknown,
};

for (const [name, document] of Object.entries(documents)) {
  describe(`a contract made of ${name}`, () => {
    const made = contractFrom(shop, document);

    it('says the same on the wire', () => assert.equal(contractHash(made), contractHash(shop)));

    it('is called as the contract itself', async () => {
      const fleet = new Fleet();
      const seen: string[] = [];
      await fleet.serve([
        bind(shop, {
          item: ({ id }, call) => (id === 'gone' ? call.fail('GONE', { id }, 'sold') : { id }),
          order: ({ count }) => ({ tag: 'x', count }),
          seen: ({ id }) => void seen.push(id),
          async *counts({ to }) {
            for (let n = 1; n <= to; n++) yield n;
          },
          clear: () => {},
        }),
      ]);
      const client = fleet.client(made) as unknown as Readonly<Record<string, (input?: unknown) => Promise<unknown>>>;
      assert.deepEqual(await client['item']?.({ id: 'a b' }), { id: 'a b' });
      assert.deepEqual(await client['order']?.({}), { tag: 'x', count: 1 });
      assert.equal(await client['seen']?.({ id: '1' }), undefined);
      assert.equal(await client['clear']?.(), undefined);
      assert.deepEqual(seen, ['1']);
      const counts = client['counts']?.({ to: 3 }) as unknown as AsyncIterable<unknown>;
      assert.deepEqual(await Array.fromAsync(counts), [1, 2, 3]);
      await assert.rejects(client['item']?.({ id: 'gone' }) ?? Promise.resolve(), {
        code: 'GONE',
        data: { id: 'gone' },
        httpStatus: 410,
      });
      fleet.assertIdle();
    });
  });
}

describe('a document that is no contract is refused, with the operation that is not understood', () => {
  const [item] = documents['its text'] as Record<string, unknown>[];
  for (const [what, document, message] of [
    ['no list', {}, /operations are no list/],
    ['nothing of a name', [{}], /has no name/],
    ['a name that is none', [{ ...item, name: '__proto__' }], /has no name/],
    ['an unknown kind', [{ ...item, kind: 'telepathy' }], /"item" is of kind "telepathy"; is its service newer/],
    ['no address', [{ ...item, http: { method: 'GET' } }], /"item" does not say how it travels/],
    ['half an address', [{ ...item, http: { ...(item?.['http'] as object), texts: null } }], /"item" does not say how/],
    ['errors without codes', [{ ...item, errors: [{}] }], /errors of operation "item"/],
  ] as const) {
    it(what, () => assert.throws(() => contractFrom(shop, document), { code: 'BAD_RESPONSE', message }));
  }
});
