import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '@flotilla/testkit';
import { sample } from '../contracts/sample.ts';
import { app } from './sample.ts';

test('the home page is whole', async () => {
  await using fleet = await startFleet({ services: [app] });
  assert.deepEqual(await fleet.client(sample).home(undefined), { title: 'Welcome', missing: [] });
});
