import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openApiOf, service } from 'flotilla';
import { startInMemory } from 'flotilla/testing';
import { app, hello } from './hello.ts';

test('the example of the README greets whom it is told', async () => {
  const caller = service('caller');
  const greeter = caller.client(hello);
  const fleet = await startInMemory([app, caller]);
  try {
    assert.deepEqual(await greeter.greet({ name: 'Ada' }), { text: 'Hello, Ada!' });
  } finally {
    await fleet.stop();
  }
});

test('its OpenAPI document is valid', async () => {
  const { document, warnings } = openApiOf([hello], { title: 'hello' });
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  assert.ok(valid, JSON.stringify(errors));
  assert.deepEqual([Object.keys(document['paths'] as object), warnings], [['/greetings/{name}'], []]);
});
