import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { answersItsName, type Behaviour, fleet, instance } from '../test/fleet.ts';
import { names, started } from '../test/started.ts';

test('a pick explains itself: candidates, their numbers, and who was left out by which rule', async () => {
  const failing: Behaviour = async (host, request, call) => {
    if (!host.startsWith('bad')) return answersItsName(host, request, call);
    const error = new FlotillaError('CONNECT_FAILED', 'refused');
    call.end(error);
    throw error;
  };
  const world = fleet(failing);
  const cluster = started(world, {
    pick: 'round-robin',
    ownZone: 'a',
    accepts: ({ metadata }) => metadata['old'] === undefined,
  });
  const startedAt = world.clock.wallNow();
  world.resolver.say([
    instance('a1', { zone: 'a' }),
    instance('a2', { zone: 'a', startedAt, weight: 2 }),
    instance('bad', { zone: 'a' }),
    instance('nil', { zone: 'a', weight: 0 }),
    instance('b1', { zone: 'b' }),
    instance('b2', { zone: 'b' }),
    instance('blue', { zone: 'a', metadata: { lane: 'blue' } }),
    instance('leaving', { zone: 'a', status: 'draining' }),
    instance('dubbo', { addresses: [{ protocol: 'dubbo', host: 'd', port: 20_880 }] }),
    instance('v1', { metadata: { old: 'yes' } }),
  ]);
  await names(world, cluster, 60);
  const explained = cluster.explain();
  assert.deepEqual(
    [explained.target, explained.pick, explained.zone, explained.ownZoneShare, explained.panic, explained.services],
    ['service:orders', 'round-robin', 'a', 1, false, ['orders']],
  );
  assert.deepEqual(
    explained.rules.map(({ rule, leftOut }) => `${rule} ${leftOut}`),
    ['contract 1', 'protocol 1', 'status 1', 'address 0', 'lane 1', 'subset 0', 'outlier 1', 'zone 2', 'weight 1'],
  );
  assert.deepEqual(
    explained.instances.map(({ id, leftOut }) => `${id}: ${leftOut ? `${leftOut.rule}, ${leftOut.why}` : 'candidate'}`),
    [
      'a1: candidate',
      'a2: candidate',
      'v1: contract, it serves no contract, which is not what this caller needs',
      'dubbo: protocol, it speaks none of http',
      'leaving: status, it is draining',
      'blue: lane, its lane is "blue", the call’s is another',
      'bad: outlier, it failed unlike its peers: ejected for another 30.0 s',
      'b1: zone, its zone is "b", and "a" can carry the calls',
      'b2: zone, its zone is "b", and "a" can carry the calls',
      'nil: weight, its weight is 0, and others have one',
    ],
  );
  const [a1, a2] = explained.instances;
  assert.ok(a1 && a2);
  assert.deepEqual([a2.weight, a2.warmth, a1.warmth], [2, 0.1, 1]);
  assert.ok(Math.abs(a1.share - 1 / 1.2) < 1e-9 && Math.abs(a1.share + a2.share - 1) < 1e-9);
  assert.ok(a1.calls > 0 && a1.load === 0 && a1.latencyMs !== undefined && a1.address === 'http://a1.internal:8080');
  const blue = cluster.explain(world.newCall({ baggage: new Map([['flotilla.lane', 'blue']]) }));
  assert.deepEqual([blue.lane, blue.instances[0]?.id, blue.instances[0]?.leftOut], ['blue', 'blue', undefined]);
  await cluster.close();
});
