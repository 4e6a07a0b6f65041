import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '@flotilla/core';
import { answersItsName, fleet, instance, instances } from '../test/fleet.ts';
import { names, once, started } from '../test/started.ts';
import { pickWish } from './pick-wish.ts';

test('a label that travels with the call sends it to the labelled instances, else to the base', async () => {
  const world = fleet();
  const cluster = started(world);
  const label = (lane: string) => new Map([['flotilla.lane', lane]]);
  world.resolver.say([...instances(2), instance('blue', { metadata: { lane: 'blue' } })]);
  assert.deepEqual(once(await names(world, cluster, 50)), ['i0', 'i1']);
  assert.deepEqual(once(await names(world, cluster, 20, undefined, label('blue'))), ['blue']);
  assert.deepEqual(once(await names(world, cluster, 50, undefined, label('green'))), ['i0', 'i1']);
  world.resolver.say(instances(2));
  assert.deepEqual(once(await names(world, cluster, 50, undefined, label('blue'))), ['i0', 'i1'], 'the lane has gone');
  await cluster.close();
});

test('a hint names an instance or a group of them; when none of them can be picked it is ignored', async () => {
  const world = fleet();
  const cluster = started(world);
  world.resolver.say([...instances(3), instance('ssd', { metadata: { hint: 'fast-disk' } })]);
  const hinted = (hint: string) => names(world, cluster, 30, (call) => call.set(pickWish, { hint }));
  assert.deepEqual(once(await hinted('i1')), ['i1']);
  assert.deepEqual(once(await hinted('fast-disk')), ['ssd']);
  assert.equal(once(await hinted('nobody')).length, 4);
  const endpoint = world.endpoints.get('i1');
  if (endpoint) endpoint.status = 'busy';
  assert.ok(!once(await hinted('i1')).includes('i1'));
  await cluster.close();
});

test('hash: a key goes to one instance, for all callers', async () => {
  const [one, other] = [fleet(answersItsName, 1), fleet(answersItsName, 2)];
  const clusters = [one, other].map((world) => ({ world, cluster: started(world, { pick: 'hash' }) }));
  const owners: string[][] = [];
  for (const { world, cluster } of clusters) {
    world.resolver.say(instances(10));
    owners.push(await names(world, cluster, 10, (call) => call.set(pickWish, { key: 'customer 7' })));
    await cluster.close();
  }
  assert.equal(once(owners.flat()).length, 1);
});

test('sticky and sameInstance: the same instance while it is there, also across changes of the set', async () => {
  for (const settings of [{ pick: 'sticky' }, { sameInstance: true }] as const) {
    const world = fleet();
    const cluster = started(world, settings);
    world.resolver.say(instances(4));
    const [first = ''] = once(await names(world, cluster, 20));
    world.resolver.say(instances(8));
    assert.deepEqual(once(await names(world, cluster, 20)), [first]);
    world.resolver.say(instances(8).filter(({ id }) => id !== first));
    const [next = ''] = once(await names(world, cluster, 20));
    assert.notEqual(next, first);
    await cluster.close();
  }
});

test('sticky keeps a key in each lane apart', async () => {
  const world = fleet();
  const cluster = started(world, { pick: 'sticky' });
  const label = new Map([['flotilla.lane', 'blue']]);
  const blue = ['b0', 'b1', 'b2'].map((id) => instance(id, { metadata: { lane: 'blue' } }));
  world.resolver.say([...instances(3), ...blue]);
  const key = (call: Call): void => call.set(pickWish, { key: 'basket' });
  const owners = new Set<string>();
  for (let n = 0; n < 10; n++) {
    for (const name of await names(world, cluster, 1, key)) owners.add(name);
    for (const name of await names(world, cluster, 1, key, label)) owners.add(name);
  }
  assert.equal(owners.size, 2);
  await cluster.close();
});
