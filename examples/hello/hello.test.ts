import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '@flotilla/testkit';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openApiOf } from 'flotilla';
import { app, hello } from './hello.ts';

test('the example of the README greets whom it is told', async () => {
  await using fleet = await startFleet({ services: [app] });
  assert.deepEqual(await fleet.client(hello).greet({ name: 'Ada' }), { text: 'Hello, Ada!' });
});

test('its OpenAPI document is valid', async () => {
  const { document, warnings } = openApiOf([hello], { title: 'hello' });
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  assert.ok(valid, JSON.stringify(errors));
  assert.deepEqual([Object.keys(document['paths'] as object), warnings], [['/greetings/{name}'], []]);
});
