import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { answersItsName, type Fleet, fleet, instance, instances } from '../test/fleet.ts';
import { names, once, started } from '../test/started.ts';
import type { Cluster, LoadReport } from './cluster.ts';

test('the own zone first, and another one at once when nobody there takes anything', async () => {
  const world = fleet();
  const cluster = started(world, { ownZone: 'a' });
  world.resolver.say(['a', 'a', 'b', 'b'].map((zone, index) => instance(`i${index}`, { zone })));
  assert.deepEqual(once(await names(world, cluster, 50)), ['i0', 'i1']);
  for (const id of ['i0', 'i1']) {
    const endpoint = world.endpoints.get(id);
    if (endpoint) endpoint.status = 'busy';
  }
  assert.deepEqual(once(await names(world, cluster, 50)), ['i2', 'i3']);
  await cluster.close();
});

/** Five instances in the caller's own zone, of which nobody listens, and five in another one. */
function lostZone(): { readonly world: Fleet; readonly cluster: Cluster<string, string> } {
  const world = fleet(async (host, request, call) => {
    if (host.startsWith('b')) return answersItsName(host, request, call);
    const error = new FlotillaError('CONNECT_FAILED', `nobody listens at ${host}`, { executed: 'no' });
    call.end(error);
    throw error;
  });
  const cluster = started(world, { ownZone: 'a' });
  const zone = (name: string) => Array.from({ length: 5 }, (_, index) => instance(`${name}${index}`, { zone: name }));
  world.resolver.say([...zone('a'), ...zone('b')]);
  return { world, cluster };
}

test('while a zone is being lost the second attempt of every call goes to another one', async () => {
  const { world, cluster } = lostZone();
  const seconds: string[] = [];
  for (let n = 0; n < 200; n++) {
    const request = world.newCall();
    const first = await cluster.handle('x', request.child({ attempt: 1 })).catch((error: FlotillaError) => error.code);
    if (first !== 'CONNECT_FAILED') continue;
    seconds.push(await cluster.handle('x', request.child({ attempt: 2 })).catch((error: FlotillaError) => error.code));
  }
  assert.ok(seconds.length > 5, `${seconds.length} first attempts failed`);
  assert.deepEqual(
    once(seconds).filter((answer) => !answer.startsWith('b')),
    [],
  );
  await cluster.close();
});

test('an attempt that failed in a zone is not repeated there when the zone was given up meanwhile', async () => {
  const { world, cluster } = lostZone();
  const early = world.newCall();
  await assert.rejects(cluster.handle('x', early.child({ attempt: 1 })), { code: 'CONNECT_FAILED' });
  await names(world, cluster, 200);
  assert.equal(cluster.explain().ownZoneShare, 0);
  assert.match(await cluster.handle('x', early.child({ attempt: 2 })), /^b/);
  await cluster.close();
});

test('a young instance gets its share little by little, without anything else changing', async () => {
  const world = fleet();
  const cluster = started(world, { pick: 'round-robin' });
  const startedAt = world.clock.wallNow();
  world.resolver.say([instance('old', { startedAt: startedAt - 600_000 }), instance('young', { startedAt })]);
  const share = async (): Promise<number> =>
    (await names(world, cluster, 1_000)).filter((name) => name === 'young').length / 1_000;
  assert.ok(Math.abs((await share()) - 0.1 / 1.1) < 0.01);
  await world.clock.advance(15_000);
  assert.ok(Math.abs((await share()) - 0.5 / 1.5) < 0.01);
  await world.clock.advance(15_000);
  assert.ok(Math.abs((await share()) - 0.5) < 0.01);
  await cluster.close();
});

test('of a large service a caller goes to its part, and to others when those have gone', async () => {
  const world = fleet();
  const cluster = started(world, { subset: { size: 5 }, caller: 'me' });
  world.resolver.say(instances(50));
  const part = once(await names(world, cluster, 300));
  assert.equal(part.length, 5);
  world.resolver.say(instances(50).filter(({ id }) => !part.slice(0, 2).includes(id)));
  const next = once(await names(world, cluster, 300));
  assert.equal(next.length, 5);
  assert.deepEqual(
    part.slice(2).filter((id) => !next.includes(id)),
    [],
  );
  await cluster.close();
});

test('least-utilised goes by what instances report, and only then is it wanted', async () => {
  const world = fleet();
  const reports = new Map<string, LoadReport>();
  const { connect } = world.options;
  const cluster = started(world, {
    pick: 'least-utilised',
    connect(address, at, report) {
      reports.set(at.id, report);
      return connect(address, at, report);
    },
  });
  world.resolver.say(instances(2));
  await names(world, cluster, 20);
  assert.equal(reports.get('i0')?.wanted, true);
  reports.get('i0')?.utilisation(0.9);
  reports.get('i1')?.utilisation(0.1);
  assert.deepEqual(once(await names(world, cluster, 50)), ['i1']);
  await world.clock.advance(60_000);
  assert.deepEqual(once(await names(world, cluster, 50)), ['i0', 'i1'], 'what was said long ago is forgotten');
  cluster.configure({ pick: 'random' });
  assert.equal(reports.get('i0')?.wanted, false);
  await cluster.close();
});
