import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, identity } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, pathFromText } from '@flotilla/http';
import { Cluster, keyOf } from '../testing/cluster.ts';
import { member } from '../testing/member.ts';

const born = 1_767_225_600_000;
const key = { service: 'orders', id: 'o1' };

test('what an owner says at one registry is listed at the others within a moment', async () => {
  const cluster = await Cluster.start(['a', 'b', 'c']);
  cluster.at('a').registry.register(member('o1', born));
  await cluster.clock.advance(25);
  for (const name of ['b', 'c']) {
    const instance = cluster.at(name).registry.get(key)?.instance;
    assert.deepEqual(instance?.contracts, [{ name: 'orders', version: 2, hash: 'abc' }]);
    assert.deepEqual([instance?.weight, instance?.zone, instance?.metadata], [3, 'eu-1', { color: 'blue' }]);
  }
  cluster.at('a').registry.setStatus(key, 'draining');
  await cluster.clock.advance(25);
  assert.equal(cluster.at('c').registry.get(key)?.instance.status, 'draining');
  cluster.at('b').registry.deregister(key);
  await cluster.clock.advance(25);
  assert.deepEqual([...cluster.lists().values()], [[], [], []]);
  await cluster.stop();
});

test('renewals at one registry keep the lease at all', async () => {
  const cluster = await Cluster.start(['a', 'b']);
  cluster.at('a').registry.register(member('o1', born));
  for (let renewal = 0; renewal < 6; renewal++) {
    await cluster.clock.advance(30_000);
    cluster.at('a').registry.renew(key, born);
  }
  await cluster.clock.advance(1_000);
  assert.equal(cluster.at('b').registry.size, 1);
  await cluster.clock.advance(95_000);
  assert.deepEqual([...cluster.lists().values()], [[], []]);
  await cluster.stop();
});

test('nobody who is silent is kept alive by registries that tell each other', async () => {
  const cluster = await Cluster.start(['a', 'b', 'c']);
  cluster.cut.add('a c').add('b c');
  cluster.at('a').registry.register(member('o1', born));
  await cluster.clock.advance(80_000);
  cluster.cut.clear();
  await cluster.clock.advance(5_000);
  await cluster.quiet();
  await cluster.clock.advance(20_000);
  assert.deepEqual([...cluster.lists().values()], [[], [], []]);
  await cluster.stop();
});

test('an override of an operator goes everywhere and is taken back everywhere', async () => {
  const cluster = await Cluster.start(['a', 'b']);
  cluster.at('a').registry.register(member('o1', born));
  await cluster.clock.advance(100);
  cluster.at('b').registry.setOverride(key, 'out-of-service');
  await cluster.clock.advance(100);
  assert.equal(cluster.at('a').registry.get(key)?.instance.override, 'out-of-service');
  assert.equal(cluster.at('a').registry.get(key)?.instance.status, 'up');
  cluster.at('a').registry.setOverride(key, undefined);
  await cluster.clock.advance(100);
  assert.equal(cluster.at('b').registry.get(key)?.instance.override, undefined);
  cluster.assertConverged();
  await cluster.stop();
});

test('after an override is taken back the owner registers anew at whichever registry it renews', async () => {
  const cluster = await Cluster.start(['a', 'b']);
  cluster.at('a').registry.register(member('o1', born));
  await cluster.clock.advance(100);
  cluster.at('a').registry.setOverride(key, 'out-of-service');
  await cluster.clock.advance(100);
  cluster.at('a').registry.setOverride(key, undefined);
  await cluster.clock.advance(100);
  const renewAtB = async () => {
    const endpoint = cluster.network.connect({ protocol: 'http', host: 'b', port: 8761 });
    const call = new Call({ clock: cluster.clock, random: seededRandom(1) });
    const path = pathFromText('/eureka/apps/ORDERS/o1');
    const request = {
      method: 'PUT',
      authority: 'b:8761',
      path,
      query: '',
      headers: new HttpHeaders(),
      body: undefined,
    };
    const { status } = await endpoint.handle(request, call);
    call.end();
    endpoint.close();
    return status;
  };
  assert.equal(await renewAtB(), 404);
  cluster.at('b').registry.register(member('o1', born));
  assert.equal(await renewAtB(), 200);
  await cluster.stop();
});

test('after a partition the later word counts: of owners by incarnation, of operators by time', async () => {
  const cluster = await Cluster.start(['a', 'b', 'c']);
  cluster.at('a').registry.register(member('o1', born));
  await cluster.clock.advance(100);
  cluster.cut.add('a b').add('a c');
  cluster.at('a').registry.setOverride(key, 'out-of-service');
  cluster.at('a').registry.register(member('o1', born, { metadata: { said: 'first' } }));
  await cluster.clock.advance(10);
  cluster.at('b').registry.register(member('o1', born, { metadata: { said: 'second' } }));
  cluster.at('b').registry.setOverride(key, 'down');
  await cluster.clock.advance(10_000);
  cluster.at('b').registry.setOverride(key, undefined);
  cluster.cut.clear();
  await cluster.quiet();
  cluster.assertConverged();
  const { instance } = cluster.at('a').registry.get(key) ?? {};
  assert.deepEqual(instance?.metadata, { said: 'second' });
  assert.equal(instance?.override, undefined);
  await cluster.stop();
});

test('who left during a partition does not come back, and its owner may with a newer incarnation', async () => {
  const cluster = await Cluster.start(['a', 'b']);
  cluster.at('a').registry.register(member('o1', born));
  await cluster.clock.advance(100);
  cluster.cut.add('a b');
  cluster.at('a').registry.deregister(key);
  for (let second = 0; second < 60; second += 20) {
    await cluster.clock.advance(20_000);
    cluster.at('b').registry.renew(key, born); // the owner's last renewals, or an impostor's
  }
  cluster.cut.clear();
  await cluster.quiet();
  assert.deepEqual([...cluster.lists().values()], [[], []]);
  cluster.at('b').registry.register(member('o1', born + 100_000));
  await cluster.quiet();
  assert.equal(cluster.at('a').registry.size, 1);
  await cluster.stop();
});

test('a registry that was killed lists everything when it is up again, before anybody is served', async () => {
  const cluster = await Cluster.start(['a', 'b'], { startTimeoutMs: 5_000 });
  cluster.at('a').registry.register(member('o1', born));
  await cluster.clock.advance(100);
  await cluster.end('b', 'killed');
  cluster.at('a').registry.register(member('o2', born));
  cluster.at('a').registry.deregister(key);
  await cluster.clock.advance(10_000);
  const { registry } = await cluster.start('b');
  assert.deepEqual(
    Array.from(registry.list(), ({ instance }) => instance.id),
    ['o1', 'o2'],
  );
  await cluster.quiet();
  cluster.assertConverged();
  assert.equal(cluster.at('b').registry.size, 1);
  await cluster.stop();
});

test('peers that are all down hold a start up for its time-out and no longer', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { startTimeoutMs: 3_000 });
  await cluster.start('a');
  assert.equal(cluster.clock.now(), 3_000);
  const [b] = cluster.at('a').peers.states;
  assert.deepEqual(
    [b?.reachable, b?.kind, b?.lastError?.reason.startsWith('CONNECT_FAILED')],
    [false, 'unknown', true],
  );
  await cluster.stop();
});

test('with a clock that is off by two minutes nobody is lost, and what is told settles', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  cluster.skewMs.set('b', 120_000).set('c', -120_000);
  for (const name of ['a', 'b', 'c']) await cluster.start(name);
  await cluster.clock.advance(5_000);
  // Owners have the clocks of their registries; b takes what a says for old, c what b says for the future.
  cluster.at('a').registry.register(member('o1', cluster.clock.wallNow()));
  cluster.at('b').registry.register(member('o2', cluster.clock.wallNow() + 120_000));
  cluster.at('c').registry.register(member('o3', cluster.clock.wallNow() - 120_000));
  for (let renewal = 0; renewal < 8; renewal++) {
    await cluster.clock.advance(30_000);
    for (const [name, id] of [
      ['a', 'o1'],
      ['b', 'o2'],
      ['c', 'o3'],
    ] as const) {
      assert.equal(cluster.at(name).registry.renew({ service: 'orders', id }).outcome, 'known');
    }
    for (const { registry } of cluster.nodes.values()) assert.equal(registry.size, 3);
  }
  cluster.at('b').registry.setStatus({ service: 'orders', id: 'o2' }, 'draining');
  cluster.at('a').registry.deregister({ service: 'orders', id: 'o1' });
  await cluster.quiet();
  for (const { registry } of cluster.nodes.values()) {
    assert.deepEqual(Array.from(registry.list(), ({ instance: { id, status } }) => `${id} ${status}`).sort(), [
      'o2 draining',
      'o3 up',
    ]);
  }
  await cluster.stop();
});

test('services of one name in several namespaces are told apart', async () => {
  const cluster = await Cluster.start(['a', 'b']);
  for (const namespace of ['default', 'test']) {
    cluster.at('a').registry.register(member('o1', born, { identity: identity('orders', { namespace }) }));
  }
  await cluster.quiet();
  assert.equal(cluster.at('b').registry.size, 2);
  cluster.at('a').registry.deregister({ service: 'test/default/orders', id: 'o1' });
  await cluster.quiet();
  cluster.assertConverged();
  assert.deepEqual(
    Array.from(cluster.at('b').registry.list(), ({ instance }) => keyOf(instance).service),
    ['orders'],
  );
  await cluster.stop();
});

test('what waits for a peer that is away is bounded, and the comparison makes up for the rest', async () => {
  const cluster = await Cluster.start(['a', 'b'], { maxQueued: 10 });
  cluster.cut.add('a b');
  for (let n = 0; n < 50; n++) cluster.at('a').registry.register(member(`o${n}`, born));
  await cluster.clock.advance(5_000);
  const [state] = cluster.at('a').peers.states;
  assert.deepEqual([state?.queued, state?.lost, state?.reachable], [10, 40, false]);
  cluster.cut.clear();
  await cluster.clock.advance(30_000);
  await cluster.quiet();
  cluster.assertConverged();
  assert.equal(cluster.at('b').registry.size, 50);
  await cluster.stop();
});

test('a stop tells peers what they do not know yet', async () => {
  const cluster = await Cluster.start(['a', 'b']);
  cluster.at('a').registry.register(member('o1', born));
  await cluster.end('a');
  assert.equal(cluster.at('b').registry.size, 1);
  await cluster.stop();
});

test('an owner that gives all its lives one incarnation stays when it comes back, at whichever registry', async () => {
  const cluster = await Cluster.start(['a', 'b', 'c']);
  const lives = ['a', 'b', 'a', 'c'] as const;
  for (const [life, at] of lives.entries()) {
    const { registry } = cluster.at(at);
    const before = new Map<string, number>();
    const said = member('o1', born, { metadata: { life: `${life}` } });
    assert.equal(registry.register(said, { mayReturn: true }).outcome, 'registered', `life ${life}`);
    await cluster.quiet();
    cluster.assertConverged();
    for (const [name, node] of cluster.nodes) {
      const lease = node.registry.get(key);
      assert.deepEqual(lease?.instance.metadata, { life: `${life}` }, `life ${life} at ${name}`);
      assert.equal(node.registry.renew(key, born).outcome, 'known');
      before.set(name, lease?.instance.revision ?? 0);
    }
    await cluster.quiet();
    for (const [name, node] of cluster.nodes)
      assert.equal(node.registry.get(key)?.instance.revision, before.get(name), 'it did not come and go');
    registry.deregister(key);
    await cluster.quiet();
    assert.deepEqual([...cluster.lists().values()], [[], [], []]);
  }
  await cluster.stop();
});

test('within some seconds after a partition all list the same, also what waited too long to be told', async () => {
  const cluster = await Cluster.start(['a', 'b']);
  const short = { lease: { renewEveryMs: 5_000, lastsMs: 15_000 } };
  for (const id of ['o1', 'o2']) cluster.at('a').registry.register(member(id, born));
  await cluster.clock.advance(100);
  cluster.cut.add('a b');
  await cluster.clock.advance(20_000);
  cluster.at('a').registry.deregister(key);
  cluster.at('b').registry.register(member('o3', born + 1, short));
  for (let renewal = 0; renewal < 10; renewal++) {
    await cluster.clock.advance(4_000);
    cluster.at('b').registry.renew({ service: 'orders', id: 'o3' });
  }
  cluster.cut.clear();
  await cluster.clock.advance(10_000);
  cluster.assertConverged();
  const listed = Array.from(cluster.at('a').registry.list(), ({ instance: { id } }) => id);
  assert.deepEqual(listed.sort(), ['o2', 'o3']);
  await cluster.stop();
});

test('peers that come and go are compared with every few seconds, not at each return', async () => {
  let compared = 0;
  const cluster = new Cluster(['a', 'b']);
  await cluster.start('b', (handler) => (request, call) => {
    if (request.path.text.endsWith('/fingerprints')) compared++;
    return handler(request, call);
  });
  await cluster.start('a');
  await cluster.clock.advance(1_000);
  compared = 0;
  for (let round = 0; round < 40; round++) {
    cluster.cut.add('a b');
    cluster.at('a').registry.register(member(`o${round}`, born));
    await cluster.clock.advance(700);
    cluster.cut.clear();
    await cluster.clock.advance(800);
  }
  assert.ok(compared >= 5 && compared <= 20, `${compared} comparisons in a minute`);
  await cluster.stop();
});

/** Three registries of which one comes up with nothing. */
async function withEmpty(): Promise<Cluster> {
  const cluster = await Cluster.start(['a', 'b', 'c']);
  cluster.at('a').registry.register(member('o1', born));
  for (let second = 0; second < 120; second += 30) {
    await cluster.clock.advance(30_000);
    cluster.at('a').registry.renew(key);
  }
  await cluster.quiet();
  await cluster.end('b', 'killed');
  cluster.forget('b');
  return cluster;
}

test('one that comes up empty has warmed up when it knows all that its peers know', async () => {
  const cluster = await withEmpty();
  const { registry } = await cluster.start('b');
  await cluster.clock.advance(1_000);
  assert.deepEqual([registry.size, registry.warming], [1, false]);
  await cluster.stop();
});

test('it warms up for a whole lease when a peer warms up itself', async () => {
  const cluster = await withEmpty();
  await cluster.end('c', 'killed');
  cluster.forget('c');
  cluster.cut.add('a c').add('b c'); // nobody tells it, so it goes on warming up
  await cluster.start('c');
  await cluster.clock.advance(1_000);
  cluster.cut.delete('b c');
  const { registry } = await cluster.start('b');
  await cluster.clock.advance(80_000);
  assert.deepEqual([cluster.at('c').registry.warming, registry.warming], [true, true]);
  await cluster.clock.advance(11_000);
  assert.equal(registry.warming, false);
  await cluster.stop();
});

test('it warms up for a whole lease when a peer cannot be asked', async () => {
  const cluster = await withEmpty();
  cluster.cut.add('b c');
  const { registry } = await cluster.start('b');
  await cluster.clock.advance(80_000);
  assert.equal(registry.warming, true);
  await cluster.stop();
});

test('it warms up for a whole lease when a peer preserves leases that lapsed', async () => {
  const cluster = await withEmpty();
  for (let id = 0; id < 8; id++) cluster.at('a').registry.register(member(`p${id}`, born));
  await cluster.clock.advance(92_000);
  assert.equal(cluster.at('a').registry.complete, false);
  const { registry } = await cluster.start('b');
  await cluster.clock.advance(2_000);
  assert.equal(registry.warming, true);
  await cluster.stop();
});
