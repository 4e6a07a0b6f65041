import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '@flotilla/testkit';
import { service } from 'flotilla';
import { contract, get, query } from 'flotilla/contract';
import { z } from 'zod';

const In = z.object({ id: z.string() });
const http = get('/products/{id}');
const priced = contract(
  { name: 'catalog', version: 1 },
  { product: query({ in: In, out: z.object({ id: z.string(), price: z.number() }), http }) },
);
const unpriced = contract(
  { name: 'catalog', version: 1 },
  { product: query({ in: In, out: z.object({ id: z.string() }), http }) },
);

test('a fleet says by itself who calls what, and who breaks if a field goes', async () => {
  const catalog = service('catalog');
  catalog.handle(priced, { product: async ({ id }) => ({ id, price: 3 }) });
  const web = service('web');
  web.client(priced);
  const mobile = service('mobile');
  mobile.client(unpriced);
  await using fleet = await startFleet({ services: [catalog, web, mobile] });
  const { catalogue } = fleet.registry;
  const impact = (field: string) =>
    Object.fromEntries(catalogue.impact('catalog', 1, 'product', field).map((party) => [party.service, party.impact]));
  assert.deepEqual(impact('out.price'), { web: 'breaks', mobile: 'unaffected' });
  assert.deepEqual(impact('out.id'), { web: 'breaks', mobile: 'breaks' });
  assert.deepEqual(impact('in.id'), { web: 'uses', mobile: 'uses' });
  assert.deepEqual(catalogue.broken(), []);

  const older = service('older-catalog');
  older.handle(unpriced, { product: async ({ id }) => ({ id }) });
  await fleet.add(older);
  const [broken] = catalogue.broken();
  assert.deepEqual([broken?.provider.service, broken?.caller.service], ['older-catalog', 'web']);
  assert.equal(broken?.reasons[0]?.detail, 'out.price is gone, and the caller requires it');
});
