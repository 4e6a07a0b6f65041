import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openApiOf } from 'flotilla';
import { catalog } from './contracts/catalog.ts';
import { orders } from './contracts/order.ts';
import { stock } from './contracts/stock.ts';
import { web } from './contracts/web.ts';

test('every contract of the shop makes a valid OpenAPI document, alone and together', async () => {
  for (const contracts of [[catalog], [stock], [orders], [web], [catalog, stock]]) {
    const { document, warnings } = openApiOf(contracts, { title: 'shop' });
    const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
    assert.ok(valid, JSON.stringify(errors));
    assert.deepEqual(warnings, []);
    assert.equal(Object.keys(document['paths'] as object).length > 0, true);
  }
});
