import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleet, instance, instances } from '../test/fleet.ts';
import { names, once, started } from '../test/started.ts';
import { Clusters } from './clusters.ts';

test('other settings count from the next call on; a wrong one changes nothing', async () => {
  const world = fleet();
  const cluster = started(world);
  world.resolver.say([...instances(2), instance('blue', { metadata: { lane: 'blue' } })]);
  cluster.configure({ pick: 'round-robin', lane: { baggage: '' } });
  assert.equal(once(await names(world, cluster, 30)).length, 3);
  assert.throws(() => cluster.configure({ maxLoad: 0 }), /^RangeError: maxLoad must be greater than 1, got 0$/);
  assert.equal(cluster.explain().pick, 'round-robin');
  await cluster.close();
});

test('the configuration of a process: all services, one service, the code; later ones win value by value', async () => {
  const world = fleet();
  const cluster = started(world);
  world.resolver.say(instances(2));
  const code = { pick: 'random', outlier: { windowMs: 1 } } as const;
  const clusters = new Clusters({ '*': { balance: { warmUpMs: 5, outlier: { minOutcomes: 7 } } } });
  assert.deepEqual(clusters.settingsFor('orders', code), {
    pick: 'random',
    warmUpMs: 5,
    outlier: { windowMs: 1, minOutcomes: 7 },
  });
  const leave = clusters.add('orders-contract', cluster, code);
  clusters.update({ 'orders-contract': { balance: { pick: 'hash' } }, __proto__: { balance: { pick: 'sticky' } } });
  assert.equal(cluster.explain().pick, 'hash');
  assert.equal(clusters.explain('orders')[0]?.target, 'service:orders', 'found by the service of its instances');
  assert.throws(() => clusters.explain('users'), {
    code: 'NO_ROUTE',
    message: /does not call "users"; it calls "orders-contract"/,
  });
  leave();
  assert.deepEqual(clusters.explain(undefined), []);
  await cluster.close();
});
