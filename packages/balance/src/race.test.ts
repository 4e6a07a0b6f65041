import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, raceAttribute } from '@flotilla/core';
import { type Fleet, fleet, instances } from '../test/fleet.ts';
import { createCluster } from './balanced-cluster.ts';

/** One request: an attempt that is in hand, then a second one. */
function attempts(world: Fleet): { readonly first: Call; readonly second: Call } {
  const request = world.newCall();
  const [first, second] = [request.child({ attempt: 1 }), request.child({ attempt: 2 })];
  first.set(raceAttribute, 'first');
  second.set(raceAttribute, 'second');
  return { first, second };
}

test('the second of two attempts side by side never goes to the instance of the first', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(2));
  for (let turn = 0; turn < 50; turn++) {
    const { first, second } = attempts(world);
    const one = await cluster.handle('x', first);
    assert.notEqual(await cluster.handle('x', second), one);
  }
  await cluster.close();
});

test('where there is nobody else, the second attempt is refused and was not made', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(1));
  const { first, second } = attempts(world);
  await cluster.handle('x', first);
  await assert.rejects(cluster.handle('x', second), {
    code: 'NO_INSTANCE',
    executed: 'no',
    message: /no other instance/,
  });
  assert.equal(second.ended, true);
  assert.equal(cluster.load, 0);
  await cluster.close();
});
