import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { answersItsName, type Behaviour, type Fleet, fleet, instances } from '../test/fleet.ts';
import { names, started } from '../test/started.ts';

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
