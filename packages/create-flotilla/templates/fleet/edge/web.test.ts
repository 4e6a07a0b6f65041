import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, startFleet } from '@flotilla/testkit';
import { notes } from '../contracts/notes.ts';
import { app as backend } from '../services/notes.ts';
import { app } from './web.ts';

const gateway = { routesFile: new URL('../gateway.yaml', import.meta.url) };

test('through the gateway the page shows the notes', async () => {
  await using fleet = await startFleet({ services: [backend, app], gateway });
  await fleet.client(notes).add({ text: 'buy tea' });
  const answer = await fleet.gateway.fetch('/api/home');
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { title: 'My notes', notes: [{ text: 'buy tea' }], missing: [] });
});

test('without the backend the page says what is missing, half a second later', async () => {
  const clock = new ManualClock();
  await using fleet = await startFleet({ services: [backend, app], gateway, clock });
  fleet.network.between('web', 'notes').drop();
  const answer = await fleet.gateway.fetch('/api/home');
  assert.deepEqual(await answer.json(), { title: 'My notes', notes: [], missing: ['notes'] });
});
