import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { answersItsName, type Behaviour, type Fleet, fleet, instance, instances } from '../test/fleet.ts';
import { createCluster } from './balanced-cluster.ts';
import type { Cluster, ClusterOptions, LoadReport } from './cluster.ts';
import { Clusters } from './clusters.ts';
import { pickWish } from './pick-wish.ts';

/** A cluster that follows its registry already. */
function started(world: Fleet, options: Partial<ClusterOptions<string, string>> = {}): Cluster<string, string> {
  const cluster = createCluster({ ...world.options, ...options });
  cluster.start();
  return cluster;
}

async function names(
  world: Fleet,
  cluster: Cluster<string, string>,
  times: number,
  prepare: (call: Call) => void = () => {},
  baggage: ReadonlyMap<string, string> = new Map(),
): Promise<string[]> {
  const answers: string[] = [];
  for (let n = 0; n < times; n++) {
    const call = world.newCall({ baggage });
    prepare(call);
    answers.push(await cluster.handle('x', call).catch((error: FlotillaError) => error.code));
  }
  return answers;
}

const once = (answers: readonly string[]): string[] => [...new Set(answers)].toSorted();

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

test('ejection leaves as many as it has to, whoever fails, and the panic threshold counts those it took', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(0, 0.1, 0.3, 0.5, 1),
      fc.constantFrom(0, 0.5, 0.9),
      fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
      async (count, maxEjectedFraction, panicFraction, fails) => {
        const world = fleet(async (host, request, call) => {
          if (!fails[Number(host.slice(1).split('.')[0])]) return answersItsName(host, request, call);
          const error = new FlotillaError('CONNECT_FAILED', 'refused');
          call.end(error);
          throw error;
        });
        const cluster = started(world, { pick: 'round-robin', outlier: { maxEjectedFraction, panicFraction } });
        world.resolver.say(instances(count));
        await names(world, cluster, 200);
        const ejected = cluster.instances().filter(({ ejectedForMs }) => ejectedForMs > 0).length;
        const most = maxEjectedFraction === 0 ? 0 : Math.max(1, Math.floor(count * maxEjectedFraction));
        assert.ok(ejected <= Math.min(most, count - 1), `${ejected} of ${count}, at most ${most}`);
        const { panic, instances: seen } = cluster.explain();
        const candidates = seen.filter(({ leftOut }) => !leftOut).length;
        assert.equal(panic, count - ejected < count * panicFraction);
        assert.equal(candidates, panic ? count : count - ejected);
        assert.ok(candidates > 0);
        await cluster.close();
      },
    ),
    { numRuns: 40 },
  );
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

const slowHost =
  (world: () => Fleet, slow: string, slowMs: number): Behaviour =>
  async (host, request, call) => {
    const { clock } = world();
    await new Promise<void>((resolve) => {
      clock.setTimer(host.startsWith(slow) ? slowMs : 5, resolve);
    });
    return answersItsName(host, request, call);
  };

test('a blocked instance loses its traffic before its first late answer, and is not ejected', async () => {
  const world: Fleet = fleet(slowHost(() => world, 'i0', 2_000));
  const cluster = started(world);
  world.resolver.say(instances(10));
  const sentTo: string[] = [];
  const pending: Promise<unknown>[] = [];
  for (let ms = 0; ms < 1_000; ms++) {
    const before = world.endpoints.get('i0')?.calls ?? 0;
    pending.push(cluster.handle('x', world.newCall()));
    if ((world.endpoints.get('i0')?.calls ?? 0) > before) sentTo.push(`${ms}`);
    await world.clock.advance(1);
  }
  const late = sentTo.filter((ms) => Number(ms) >= 300);
  assert.ok(sentTo.length < 10 && late.length <= 1, `i0 was called at ${sentTo}`);
  assert.ok(cluster.instances().every(({ ejectedForMs }) => ejectedForMs === 0));
  await world.clock.advance(2_000);
  await Promise.all(pending);
  await cluster.close();
});

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

test('who sheds quickly is asked less and less, is not ejected, and is asked again later', async () => {
  let sheds = true;
  const world = fleet(async (host, _request, call) => {
    call.end();
    if (sheds && host.startsWith('i0.')) {
      throw new FlotillaError('UNAVAILABLE', 'busy', { executed: 'no', retryAfterMs: 10, fromPeer: true });
    }
    return host.replace('.internal', '');
  });
  const cluster = started(world, { pick: 'peak-ewma' });
  world.resolver.say(instances(5));
  const refused = (await names(world, cluster, 200)).filter((name) => name === 'UNAVAILABLE');
  assert.ok(refused.length > 0 && refused.length <= 10, `${refused.length} of 200`);
  assert.deepEqual(
    cluster.instances().map(({ ejectedForMs }) => ejectedForMs),
    [0, 0, 0, 0, 0],
  );
  sheds = false;
  await world.clock.advance(60_000);
  assert.ok((await names(world, cluster, 100)).includes('i0'));
  await cluster.close();
});

test('who follows ejections hears of each, of returns and of panic', async () => {
  const heard: unknown[] = [];
  const outliers = {
    ejected: ({ host }: { host: string }, forMs: number, times: number) => heard.push(['ejected', host, forMs, times]),
    readmitted: ({ host }: { host: string }) => heard.push(['readmitted', host]),
    panicked: (up: number, ejected: number) => heard.push(['panicked', up, ejected]),
  };
  const world = fleet(async (host, _request, call) => {
    call.end();
    if (host.startsWith('i0.')) throw new FlotillaError('CONNECT_FAILED', 'refused');
    return host;
  });
  const cluster = started(world, { pick: 'round-robin', outliers });
  world.resolver.say(instances(3));
  await names(world, cluster, 30);
  await world.clock.advance(30_000);
  await names(world, cluster, 1);
  assert.deepEqual(heard, [
    ['ejected', 'i0.internal', 30_000, 1],
    ['readmitted', 'i0.internal'],
  ]);
  world.resolver.say(instances(1));
  await cluster.close();
});
