// #region example
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, startFleet } from '@flotilla/testkit';
import { catalog, routes, web } from './readme-shop.ts';

test('the page comes without its products when nobody answers', async () => {
  const services = [{ app: catalog, copies: 2 }, web];
  await using fleet = await startFleet({ services, gateway: { routes }, clock: new ManualClock(), seed: 7 });
  fleet.network.between('web', 'catalog').drop();
  const answer = await fleet.gateway.fetch('/api/home');
  assert.deepEqual(await answer.json(), { left: 0, missing: ['item'] });
});
// #endregion
