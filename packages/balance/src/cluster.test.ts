import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, type Call, FlotillaError, type Logger, type Meter, nullLogger } from '@flotilla/core';
import { answersItsName, type Behaviour, type Fleet, fleet, instance, instances } from '../test/fleet.ts';
import { createCluster } from './balanced-cluster.ts';
import type { Cluster } from './cluster.ts';
import type { CachedSet, LiveSetCache } from './live-set-cache.ts';

const target = { service: 'orders' } as const;

/** Calls that a failing host gets in a test end like those of a transport. */
const failsOn =
  (hosts: readonly string[], code = 'CONNECT_FAILED'): Behaviour =>
  async (host, request, call) => {
    if (!hosts.includes(host.replace('.internal', ''))) return answersItsName(host, request, call);
    const error = new FlotillaError(code, `${host} refused`);
    call.end(error);
    throw error;
  };

async function ask(world: Fleet, cluster: Cluster<string, string>, times: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let n = 0; n < times; n++) {
    const answer = await cluster.handle('x', world.newCall()).catch((error: FlotillaError) => error.code);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  return counts;
}

test('nothing opens before the first call; all calls then share the instances evenly', async () => {
  const world = fleet();
  const cluster = createCluster({ ...world.options, pick: 'round-robin' });
  assert.equal(world.resolver.watchers, 0);
  cluster.start();
  cluster.start();
  assert.equal(world.resolver.watchers, 1);
  world.resolver.say(instances(4));
  assert.equal(world.endpoints.size, 0, 'endpoints are made when they are picked');
  assert.deepEqual(Object.fromEntries(await ask(world, cluster, 40)), { i0: 10, i1: 10, i2: 10, i3: 10 });
  await cluster.close();
});

test('with the default pick idle instances share within 3 % of all calls', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(4));
  const counts = await ask(world, cluster, 4_000);
  for (const [, count] of counts) assert.ok(Math.abs(count - 1_000) < 120, `${count}`);
  await cluster.close();
});

test('the first call waits for the first set', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  const answer = cluster.handle('x', world.newCall({ deadline: 1_000 }));
  assert.equal(cluster.known, false);
  await world.clock.advance(900);
  world.resolver.say([instance('a')]);
  assert.equal(await answer, 'a');
  assert.equal(cluster.known, true);
  await cluster.close();
  await world.clock.advance(100); // the deadline wheel's own timer
  assert.equal(world.clock.pendingTimers, 0);
});

test('it waits until its deadline, and says what it waited for', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  const call = world.newCall({ deadline: 300 });
  const failed = assert.rejects(cluster.handle('x', call), (error: FlotillaError) => {
    assert.equal(error.code, 'NO_INSTANCE');
    assert.equal(error.executed, 'no');
    assert.match(
      error.detail,
      /"service:orders" is known: the registry has named none yet; .* waited 300 ms; see first/,
    );
    return true;
  });
  await world.clock.advance(300);
  await failed;
  assert.equal(call.ended, true);
  await cluster.close();
});

test('without a deadline it waits for firstSetTimeoutMs', async () => {
  const world = fleet();
  const cluster = createCluster({ ...world.options, firstSetTimeoutMs: 2_000 });
  const failed = assert.rejects(cluster.whenKnown(world.newCall()), /waited 2000 ms/);
  await world.clock.advance(2_000);
  await failed;
  await cluster.close();
});

test('the wait is one for all: a name that nobody bears costs it once, then callers are told at once', async () => {
  for (const warming of [false, true]) {
    const world = fleet();
    const cluster = createCluster({ ...world.options, firstSetTimeoutMs: 2_000 });
    cluster.start();
    if (warming) world.resolver.say([], true);
    await world.clock.advance(1_500);
    const first = assert.rejects(cluster.handle('x', world.newCall()), /waited 500 ms/);
    await world.clock.advance(500);
    await first;
    await assert.rejects(cluster.handle('x', world.newCall()), (error: FlotillaError) => {
      assert.match(
        error.detail,
        warming ? /came up empty a short while ago.* waited 0 ms/ : /can it be reached.* waited 0 ms/,
      );
      assert.deepEqual([error.code, error.retryAfterMs], ['NO_INSTANCE', 1_000]);
      return true;
    });
    world.resolver.say([instance('a')], warming);
    assert.equal(await cluster.handle('x', world.newCall()), 'a', 'who comes up later is found at once');
    await cluster.close();
  }
});

test('a registry that knows everybody and names nobody is believed at once', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say([]);
  await assert.rejects(cluster.handle('x', world.newCall()), /no instance of "service:orders" is registered/);
  assert.equal(world.clock.now(), 0);
  await cluster.close();
});

test('a caller that goes away stops waiting', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  const call = world.newCall();
  const failed = assert.rejects(cluster.handle('x', call), { code: 'CANCELLED' });
  call.cancel();
  await failed;
  await cluster.close();
  assert.equal(world.clock.pendingTimers, 0);
});

test('no more wait than maxWaiting', async () => {
  const world = fleet();
  const cluster = createCluster({ ...world.options, maxWaiting: 2 });
  const waiting = [cluster.handle('x', world.newCall()), cluster.handle('x', world.newCall())];
  await assert.rejects(cluster.handle('x', world.newCall()), /and 2 calls wait for it, as many as maxWaiting allows/);
  world.resolver.say([instance('a')]);
  assert.deepEqual(await Promise.all(waiting), ['a', 'a']);
  await cluster.close();
});

test('a registry that is warming up and names nobody has not answered yet', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  const answer = cluster.handle('x', world.newCall());
  world.resolver.say([], true);
  assert.equal(cluster.known, false);
  world.resolver.say([instance('a')], true);
  assert.equal(await answer, 'a');
  world.resolver.say([instance('a'), instance('b')], true);
  world.resolver.say([instance('a')], true);
  assert.deepEqual(
    Object.fromEntries(await ask(world, cluster, 3)),
    { a: 3 },
    'who says farewell to it is gone at once',
  );
  world.resolver.say([], false);
  await assert.rejects(cluster.handle('x', world.newCall()), /no instance of "service:orders" is registered/);
  await cluster.close();
});

test('only instances that are up are picked, an operator having the last word', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say([
    instance('up'),
    instance('starting', { status: 'starting' }),
    instance('down', { status: 'down' }),
    instance('draining', { status: 'draining' }),
    instance('out', { override: 'out-of-service' }),
    instance('unknown', { status: 'unknown' }),
    instance('forced', { status: 'down', override: 'up' }),
  ]);
  assert.deepEqual([...(await ask(world, cluster, 100)).keys()].toSorted(), ['forced', 'up']);
  await cluster.close();
});

test('when none can serve, the error counts why', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say([
    instance('draining', { status: 'draining' }),
    instance('down', { status: 'down' }),
    instance('dubbo', { addresses: [{ protocol: 'dubbo', host: 'd', port: 20880 }] }),
  ]);
  assert.equal(cluster.status, 'busy');
  const call = world.newCall();
  await assert.rejects(cluster.handle('x', call), {
    code: 'NO_INSTANCE',
    detail:
      'no instance of "service:orders" can take this request: 3 known, 0 ejected, 1 draining, 1 not up, ' +
      '1 without an address for "http" (see protocols)',
  });
  assert.equal(call.ended, true);
  await cluster.close();
});

test('draining stops picks at once, while its call in hand ends', async () => {
  const held = new Map<string, Call>();
  const world = fleet(async (host, request, call) => {
    if (request !== 'hold') return answersItsName(host, request, call);
    held.set(host, call);
    return host;
  });
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say([instance('a')]);
  assert.equal(await cluster.handle('hold', world.newCall()), 'a.internal');
  assert.equal(cluster.load, 1);
  world.resolver.say([instance('a', { status: 'draining' }), instance('b')]);
  assert.deepEqual(Object.fromEntries(await ask(world, cluster, 50)), { b: 50 });
  assert.equal(world.endpoints.get('a')?.status, 'open');
  assert.equal(held.get('a.internal')?.cancelled, undefined);
  held.get('a.internal')?.end();
  assert.equal(cluster.load, 0);
  await cluster.close();
});

test('an instance that leaves is closed, and its call in hand ends undisturbed', async () => {
  let inHand: Call | undefined;
  const world = fleet(async (host, _request, call) => {
    inHand = call;
    return host;
  });
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say([instance('a')]);
  await cluster.handle('x', world.newCall());
  world.resolver.say([]);
  assert.equal(world.endpoints.get('a')?.status, 'closed');
  assert.equal(inHand?.cancelled, undefined);
  let closed = false;
  const closing = cluster.close().then(() => {
    closed = true;
  });
  await world.clock.advance(10_000);
  assert.equal(closed, false, 'closing the cluster waits for calls of those that left');
  inHand?.end();
  await closing;
});

test('an update keeps endpoints and statistics of those who stay', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say([instance('a')]);
  await ask(world, cluster, 3);
  const endpoint = world.endpoints.get('a');
  world.resolver.say([instance('a', { incarnation: 9, weight: 7 })]);
  await ask(world, cluster, 2);
  assert.equal(world.endpoints.get('a'), endpoint);
  assert.deepEqual(cluster.instances(), [
    {
      id: 'a',
      address: { protocol: 'http', host: 'a.internal', port: 8080 },
      status: 'up',
      weight: 7,
      load: 0,
      calls: 5,
      failures: 0,
      ejectedForMs: 0,
    },
  ]);
  await cluster.close();
});

test('the same id at another address is another endpoint', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say([instance('a')]);
  await ask(world, cluster, 1);
  world.resolver.say([instance('a', { addresses: [{ protocol: 'http', host: 'new.internal', port: 8080 }] })]);
  assert.deepEqual(Object.fromEntries(await ask(world, cluster, 2)), { new: 2 });
  assert.equal(world.endpoints.get('a')?.status, 'closed');
  await cluster.close();
});

test('an instance that fails five times in a row is ejected, and tried again after 30 s', async () => {
  const world = fleet(failsOn(['i0']));
  const cluster = createCluster({ ...world.options, pick: 'round-robin' });
  cluster.start();
  world.resolver.say(instances(3));
  const first = await ask(world, cluster, 30);
  assert.equal(first.get('CONNECT_FAILED'), 5);
  assert.equal(cluster.instances()[0]?.ejectedForMs, 30_000);
  await world.clock.advance(29_999);
  assert.equal((await ask(world, cluster, 30)).get('CONNECT_FAILED'), undefined);
  await world.clock.advance(1);
  assert.equal((await ask(world, cluster, 60)).get('CONNECT_FAILED'), 5, 'it flaps');
  assert.equal(cluster.instances()[0]?.ejectedForMs, 60_000, 'and stays away longer');
  assert.deepEqual(
    world.lines.map(({ message }) => message),
    ['instances changed', 'instance ejected', 'instance readmitted', 'instance ejected'],
  );
  assert.deepEqual(world.lines[1]?.fields, {
    target: 'service:orders',
    instance: 'i0',
    address: 'i0.internal:8080',
    forMs: 30_000,
    timesEjected: 1,
  });
  await cluster.close();
});

test('leaving the registry for a moment clears nobody', async () => {
  const world = fleet(failsOn(['i0']));
  const cluster = createCluster({ ...world.options, pick: 'round-robin' });
  cluster.start();
  world.resolver.say(instances(3));
  await ask(world, cluster, 30);
  world.resolver.say(instances(3).slice(1));
  world.resolver.say(instances(3));
  assert.equal((await ask(world, cluster, 30)).get('CONNECT_FAILED'), undefined);
  await cluster.close();
});

test('when everybody fails, at most 30 % are ejected and the others go on trying', async () => {
  const world = fleet(failsOn(['i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7', 'i8', 'i9']));
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(10));
  await ask(world, cluster, 500);
  assert.equal(cluster.instances().filter(({ ejectedForMs }) => ejectedForMs > 0).length, 3);
  await cluster.close();
});

test('the only instance is never ejected', async () => {
  const world = fleet(failsOn(['i0']));
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(1));
  assert.equal((await ask(world, cluster, 50)).get('CONNECT_FAILED'), 50);
  await cluster.close();
});

test('with 2 of 5 healthy all five are used, until enough are healthy again', async () => {
  const world = fleet(failsOn(['i0', 'i1', 'i2']));
  const cluster = createCluster({ ...world.options, pick: 'round-robin' });
  cluster.start();
  world.resolver.say(instances(10));
  await ask(world, cluster, 100);
  assert.equal(cluster.instances().filter(({ ejectedForMs }) => ejectedForMs > 0).length, 3);
  world.resolver.say(instances(5));
  const panicked = await ask(world, cluster, 50);
  assert.equal(panicked.get('CONNECT_FAILED'), 30);
  world.resolver.say(instances(10));
  assert.equal((await ask(world, cluster, 70)).get('CONNECT_FAILED'), undefined);
  const messages = world.lines.map(({ message }) => message);
  assert.equal(messages.filter((message) => message === 'too few healthy instances: using all of them').length, 1);
  assert.equal(messages.filter((message) => message === 'enough healthy instances again').length, 1);
  await cluster.close();
});

test('a stream that breaks after its answer began counts against the instance', async () => {
  const calls: Call[] = [];
  const world = fleet(async (host, _request, call) => {
    calls.push(call);
    return host;
  });
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(2));
  await ask(world, cluster, 20);
  for (const call of calls) call.end(new FlotillaError('CONNECTION_LOST', 'reset'));
  assert.equal(cluster.instances().filter(({ ejectedForMs }) => ejectedForMs > 0).length, 1);
  await cluster.close();
});

test('a judge of its own may count an answer as a failure', async () => {
  const world = fleet();
  const cluster = createCluster({
    ...world.options,
    pick: 'least-loaded', // the default would avoid it after its first failure
    judge: (_outcome, response) => (response === 'i0' ? 'failure' : 'success'),
  });
  cluster.start();
  world.resolver.say(instances(3));
  await ask(world, cluster, 100);
  assert.ok((cluster.instances()[0]?.ejectedForMs ?? 0) > 0);
  await cluster.close();
});

test('the failures of one that is draining are no news', async () => {
  const world = fleet(async (host) => host);
  const cluster = createCluster({ ...world.options, judge: () => 'failure' });
  cluster.start();
  world.resolver.say(instances(2));
  const calls = Array.from({ length: 30 }, () => world.newCall());
  for (const call of calls) await cluster.handle('x', call);
  world.resolver.say([instance('i0', { status: 'draining' }), instance('i1', { status: 'draining' })]);
  for (const call of calls) call.end();
  assert.ok(cluster.instances().every(({ ejectedForMs }) => ejectedForMs === 0));
  await cluster.close();
});

test('the next attempt of a call goes to somebody else', async () => {
  const world = fleet(failsOn(['i0', 'i1']));
  const cluster = createCluster({ ...world.options, outlier: { maxEjectedFraction: 0 } });
  cluster.start();
  world.resolver.say(instances(3));
  for (let n = 0; n < 50; n++) {
    const call = world.newCall();
    const answers: string[] = [];
    for (const attempt of [call.child({ attempt: 1 }), call.child({ attempt: 2 }), call]) {
      answers.push(await cluster.handle('x', attempt).catch((error: FlotillaError) => error.detail));
      if (answers.at(-1) === 'i2') break;
    }
    assert.equal(answers.at(-1), 'i2', answers.join());
    assert.equal(new Set(answers).size, answers.length, 'nobody is asked twice');
  }
  await cluster.close();
});

test('an ejected instance is asked before one that has just failed is asked again', async () => {
  const failing = new Set(['i0']);
  const world = fleet((id, request, call) => failsOn([...failing])(id, request, call));
  const cluster = createCluster({ ...world.options, pick: 'least-loaded' });
  cluster.start();
  world.resolver.say(instances(2));
  await ask(world, cluster, 30);
  assert.equal(cluster.instances()[0]?.ejectedForMs, 30_000);
  failing.clear(); // i0 was restarted
  failing.add('i1'); // and i1 closed its port
  const call = world.newCall();
  await assert.rejects(cluster.handle('x', call.child({ attempt: 1 })), { code: 'CONNECT_FAILED' });
  assert.equal(await cluster.handle('x', call), 'i0');
  await cluster.close();
});

test('when all have been tried, somebody is asked again', async () => {
  const world = fleet(failsOn(['i0']));
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(1));
  const call = world.newCall();
  const marker = attribute<string>('other');
  call.set(marker, 'kept');
  for (const attempt of [call.child({ attempt: 1 }), call.child({ attempt: 2 })]) {
    await assert.rejects(cluster.handle('x', attempt), { code: 'CONNECT_FAILED' });
  }
  assert.equal(call.get(marker), 'kept');
  await cluster.close();
});

test('a resolver that says nothing for hours changes nothing', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(3));
  await world.clock.advance(12 * 3_600_000);
  const counts = await ask(world, cluster, 300);
  assert.deepEqual([...counts.keys()].toSorted(), ['i0', 'i1', 'i2']);
  await cluster.close();
});

/** A working cache in memory. */
class MemoryCache implements LiveSetCache {
  kept: CachedSet | undefined;
  saves = 0;

  async load(): Promise<CachedSet | undefined> {
    return this.kept;
  }

  async save(_target: unknown, set: CachedSet): Promise<void> {
    this.saves += 1;
    this.kept = set;
  }
}

test('a cold start without a registry serves from what was kept, and says how old it is', async () => {
  const cache = new MemoryCache();
  const before = fleet();
  const first = createCluster({ ...before.options, cache });
  first.start();
  before.resolver.say(instances(2));
  await first.close();
  assert.equal(cache.kept?.instances.length, 2);

  const world = fleet();
  await world.clock.advance(60_000);
  const cluster = createCluster({ ...world.options, cache });
  assert.match(await cluster.handle('x', world.newCall()), /^i[01]$/);
  assert.deepEqual(world.lines[0], {
    message: 'the registry has not answered yet: using the last known instances from disk',
    fields: { target: 'service:orders', instances: 2, ageMs: 60_000 },
  });
  world.resolver.say([instance('new')], true);
  assert.equal(cluster.instances().length, 3, 'a registry that is warming up adds');
  world.resolver.say([instance('new')]);
  assert.deepEqual(Object.fromEntries(await ask(world, cluster, 5)), { new: 5 }, 'its whole word replaces');
  await cluster.close();
  assert.deepEqual(
    cache.kept?.instances.map(({ id }) => id),
    ['new'],
  );
});

test('a registry that answers first wins over the disk', async () => {
  const world = fleet();
  let answer: (set: CachedSet) => void = () => {};
  const slowDisk: LiveSetCache = {
    load: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    save: async () => {},
  };
  const cluster = createCluster({ ...world.options, cache: slowDisk });
  cluster.start();
  world.resolver.say([instance('new')]);
  answer({ instances: [instance('old')], savedAt: 0 });
  await world.clock.advance(0);
  assert.deepEqual(
    cluster.instances().map(({ id }) => id),
    ['new'],
  );
  await cluster.close();
});

test('many changes while a save is in hand are one more save', async () => {
  const world = fleet();
  const cache = new MemoryCache();
  const cluster = createCluster({ ...world.options, cache });
  cluster.start();
  for (let count = 1; count <= 20; count++) world.resolver.say(instances(count));
  await cluster.close();
  assert.ok(cache.saves <= 2, `${cache.saves} saves`);
  assert.equal(cache.kept?.instances.length, 20);
});

test('a disk that fails is logged and changes nothing else', async () => {
  const world = fleet();
  const cache: LiveSetCache = {
    load: () => Promise.reject(new Error('EIO')),
    save: () => Promise.reject(new Error('ENOSPC')),
  };
  const cluster = createCluster({ ...world.options, cache });
  cluster.start();
  world.resolver.say([instance('a')]);
  assert.equal(await cluster.handle('x', world.newCall()), 'a');
  await cluster.close();
  const messages = world.lines.map(({ message }) => message);
  assert.ok(messages.includes('last known instances could not be read from disk'));
  assert.ok(messages.includes('last known instances could not be kept on disk'));
});

test('a closed cluster refuses, also those who were waiting, and follows nobody', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  const waiting = assert.rejects(cluster.handle('x', world.newCall()), { code: 'UNAVAILABLE' });
  assert.equal(cluster.close(), cluster.close());
  await cluster.close();
  await waiting;
  assert.equal(world.resolver.watchers, 0);
  assert.equal(cluster.status, 'closed');
  const call = world.newCall();
  await assert.rejects(cluster.handle('x', call), /the client of "service:orders" was closed/);
  assert.equal(call.ended, true);
  assert.equal(world.clock.pendingTimers, 0);
});

test('a cluster that served and was closed refuses as well', async () => {
  const world = fleet();
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(2));
  await ask(world, cluster, 4);
  await cluster.close();
  await assert.rejects(cluster.handle('x', world.newCall()), { code: 'UNAVAILABLE', executed: 'no' });
  assert.ok([...world.endpoints.values()].every(({ status }) => status === 'closed'));
});

test('gauges and counter follow the rotation', async () => {
  const values = new Map<string, number>();
  const meter: Meter = {
    gauge: ({ name }) => ({
      with: ({ state, rule }) => ({ set: (value) => void values.set(`${name} ${state ?? rule}`, value) }),
    }),
    counter: ({ name }) => ({ with: () => ({ add: () => void values.set(name, (values.get(name) ?? 0) + 1) }) }),
    histogram: () => assert.fail('no histograms here'),
  };
  const world = fleet(failsOn(['i0']));
  const cluster = createCluster({ ...world.options, meter, pick: 'least-loaded' });
  cluster.start();
  world.resolver.say(instances(3));
  await ask(world, cluster, 60);
  assert.deepEqual(Object.fromEntries(values), {
    'flotilla_cluster_instances picked': 2,
    'flotilla_cluster_instances ejected': 1,
    'flotilla_cluster_left_out_instances outlier': 1,
    flotilla_ejections_total: 1,
  });
  await cluster.close();
});

test('a slow instance gets less than its turn, and no call waits for it that need not', async () => {
  const world = fleet(async (host, _request, call) => {
    world.clock.setTimer(host === 'i0.internal' ? 100 : 5, () => call.end());
    return host;
  });
  const cluster = createCluster(world.options);
  cluster.start();
  world.resolver.say(instances(4));
  for (let step = 0; step < 300; step++) {
    await cluster.handle('x', world.newCall());
    if (step % 3 === 2) await world.clock.advance(1);
  }
  const calls = cluster.instances().map(({ id }) => world.endpoints.get(id)?.calls ?? 0);
  // A quarter would be 75; three calls a millisecond against 5 ms keep about five in flight at each of the others.
  assert.ok((calls[0] ?? 0) < 35, `${calls}`);
  await world.clock.advance(100);
  assert.equal(cluster.load, 0);
  await cluster.close();
});

test('the address of the first protocol that both speak is used', async () => {
  const world = fleet();
  const both = instance('a', {
    addresses: [
      { protocol: 'http', host: 'plain.internal', port: 80 },
      { protocol: 'https', host: 'secure.internal', port: 443 },
    ],
  });
  const cluster = createCluster({ ...world.options, protocols: ['https', 'http'], target });
  cluster.start();
  world.resolver.say([both]);
  assert.equal(await cluster.handle('x', world.newCall()), 'secure');
  await cluster.close();
});

test('who is not accepted is never picked, and counted when nobody else is there', async () => {
  const world = fleet();
  const accepts = ({ metadata }: { readonly metadata: Readonly<Record<string, string>> }): boolean =>
    metadata['kind'] === 'good';
  const warnings: unknown[] = [];
  const logger: Logger = {
    ...nullLogger,
    warn: (message, fields) => warnings.push([message, fields?.['instances']]),
    child: () => logger,
  };
  const cluster = createCluster({ ...world.options, accepts, logger });
  cluster.start();
  const set = [instance('good', { metadata: { kind: 'good' } }), instance('other')];
  world.resolver.say(set);
  world.resolver.say(set);
  assert.deepEqual(
    warnings,
    [['instances are passed over: they do not serve what this caller needs', ['other of orders serves no contract']]],
    'said once',
  );
  assert.deepEqual([...(await ask(world, cluster, 50)).keys()], ['good']);
  world.resolver.say([instance('other')]);
  await assert.rejects(cluster.handle('x', world.newCall()), {
    code: 'NO_INSTANCE',
    message: /1 known, .* 1 that this caller has no use for \(another contract or version\)$/,
  });
  await cluster.close();
});

test('it says so when half or more of those who may be called have just come', async () => {
  const world = fleet();
  let renewed = 0;
  const cluster = createCluster({ ...world.options, renewed: () => void renewed++ });
  cluster.start();
  const after = (...set: readonly ReturnType<typeof instance>[]): number => {
    world.resolver.say(set);
    return renewed;
  };
  const [a, b, c, d] = [instance('a'), instance('b'), instance('c'), instance('d')];
  assert.equal(after(a, b), 0, 'before, nothing was known');
  assert.equal(after(a, b, c), 0, 'one of three');
  assert.equal(after(a, b), 0, 'nobody came');
  assert.equal(after(a, d), 1, 'one of two');
  assert.equal(after(a, { ...d, status: 'down' }), 1);
  assert.equal(after({ ...a, status: 'down' }, { ...d, status: 'up' }), 2, 'back, and alone');
  await cluster.close();
});
