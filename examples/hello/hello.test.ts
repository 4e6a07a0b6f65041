import assert from 'node:assert/strict';
import { test } from 'node:test';
import { service } from 'flotilla';
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
