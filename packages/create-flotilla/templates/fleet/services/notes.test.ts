import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '@flotilla/testkit';
import { safe } from 'flotilla';
import { notes } from '../contracts/notes.ts';
import { app } from './notes.ts';

test('what was added is found by its id and listed', async () => {
  await using fleet = await startFleet({ services: [app] });
  const client = fleet.client(notes);
  const added = await client.add({ text: 'the first one' });
  assert.deepEqual(await client.find({ id: added.id }), added);
  assert.deepEqual(await client.list(undefined), [added]);
});

test('an unknown id is refused by name, and an empty text is not taken', async () => {
  await using fleet = await startFleet({ services: [app] });
  const client = fleet.client(notes);
  const unknown = await safe(client.find({ id: 'nothing' }));
  assert.ok(!unknown.ok && unknown.error.code === 'UNKNOWN');
  assert.deepEqual(unknown.error.data, { id: 'nothing' });
  const empty = await safe(client.add({ text: '' }));
  assert.ok(!empty.ok && empty.error.code === 'INVALID_INPUT');
});
