import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../call.ts';
import { FlotillaError } from '../errors.ts';
import type { Instance } from '../instance.ts';
import { anInstance, ManualClock, settle } from '../testing/index.ts';
import { mostRaises } from './keeping.ts';
import { type KeeperLog, keptRegistrar } from './lease-keeper.ts';
import type { Place } from './place.ts';

/** A registrar over one place that does what the test says, and otherwise what it is asked; what it is asked, and what is logged. */
function world(parts: Partial<Place> = {}) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const put: Instance[] = [];
  const lines: { line: string; facts: Record<string, unknown> }[] = [];
  const write =
    (line: string) =>
    (facts: object): void =>
      void lines.push({ line, facts: { ...facts } });
  const names = [
    'registered',
    'forgotten',
    'raised',
    'registrationRefused',
    'statusSet',
    'deregistered',
    'leftUnheard',
  ];
  const place: Place = {
    put: async () => ({ kind: 'kept' }),
    renew: async () => ({ kind: 'kept' }),
    remove: async () => {},
    ...parts,
  };
  const kept = keptRegistrar(
    () => ({
      ...place,
      put(instance, ...rest) {
        asked.push(`put ${instance.status} at ${clock.now()}`);
        put.push(instance);
        return place.put(instance, ...rest);
      },
      renew(...given) {
        asked.push(`renew at ${clock.now()}`);
        return place.renew(...given);
      },
      remove(...given) {
        asked.push(`remove at ${clock.now()}`);
        return place.remove(...given);
      },
    }),
    {
      clock,
      random: () => 0.5,
      log: Object.fromEntries(names.map((name) => [name, write(name)])) as unknown as KeeperLog,
      times: { requestTimeoutMs: 5_000, leaveTimeoutMs: 2_000 },
    },
  );
  return { clock, kept, asked, put, lines, said: () => lines.map(({ line }) => line) };
}

const refusal = new FlotillaError('FORBIDDEN', 'not you', { fromPeer: true });

test('it puts at once and renews as often as the lease says, until the place says otherwise', async () => {
  let renewEveryMs: number | undefined;
  const { kept, clock, asked } = world({
    put: async () => ({ kind: 'kept', ...(renewEveryMs === undefined ? undefined : { renewEveryMs }) }),
  });
  const registration = kept.registrar.register(anInstance({ lease: { renewEveryMs: 1_000, lastsMs: 3_000 } }));
  await clock.advance(2_000);
  renewEveryMs = 10_000;
  await registration.setStatus('down');
  await clock.advance(20_000);
  assert.deepEqual(asked, [
    'put up at 0',
    'renew at 1000',
    'renew at 2000',
    'put down at 2000',
    'renew at 12000',
    'renew at 22000',
  ]);
});

test('changes while a request is on its way are one request after it, with the last word', async () => {
  const { kept, clock, asked } = world({
    put: async (_, call) => {
      await sleep(1_000, call);
      return { kind: 'kept' };
    },
  });
  const registration = kept.registrar.register(anInstance());
  await settle();
  const words = (['down', 'up', 'draining'] as const).map((status) => registration.setStatus(status));
  await clock.advance(2_000);
  await Promise.all(words);
  assert.deepEqual(asked, ['put up at 0', 'put draining at 1000']);
});

test('a change that has to wait does so for that long and no longer, also when a request is on its way', async () => {
  const { kept, clock, asked } = world({
    changeWaitMs: () => 4_000,
    put: async (_, call) => {
      await sleep(1_000, call);
      return { kind: 'kept' };
    },
  });
  const registration = kept.registrar.register(anInstance());
  await settle();
  await registration.setStatus('down'); // nobody is kept waiting for it
  await clock.advance(5_000);
  assert.deepEqual(asked, ['put up at 0', 'put down at 4000']);
});

test('who is forgotten is put again at once, above what the place says, and that is said', async () => {
  let known = true;
  const { kept, clock, asked, put, said } = world({
    renew: async () => (known ? { kind: 'kept' } : { kind: 'unknown', above: 9e15 }),
    put: async () => {
      known = true;
      return { kind: 'kept' };
    },
  });
  kept.registrar.register(anInstance());
  await clock.advance(1_000);
  known = false;
  kept.renewNow();
  await settle();
  assert.deepEqual(asked, ['put up at 0', 'renew at 1000', 'put up at 1000']);
  assert.deepEqual(
    put.map(({ incarnation }) => incarnation),
    [1, 9e15 + 1],
  );
  assert.deepEqual(said(), ['registered', 'forgotten', 'registered']);
});

test('a place that goes on knowing a later life is argued with three times, then let alone for a while', async () => {
  const { kept, clock, put, lines, said } = world({
    put: async ({ incarnation }) => ({ kind: 'stale', above: incarnation, refusal }),
  });
  kept.registrar.register(anInstance());
  await settle();
  assert.equal(put.length, 1 + mostRaises);
  assert.deepEqual(said(), ['raised', 'raised', 'raised', 'registrationRefused']);
  assert.deepEqual(lines.at(-1)?.facts, { service: 'orders', instanceId: 'a', status: 403, reason: 'not you' });
  await clock.advance(60_000);
  assert.equal(said().filter((line) => line === 'registrationRefused').length, 1, 'the same reason is said once');
  assert.ok(put.length < 15 * (1 + mostRaises), `${put.length} in a minute`);
});

test('a wall clock that goes back makes no earlier life', async () => {
  const { kept, clock, put } = world();
  const registration = kept.registrar.register(anInstance({ incarnation: clock.wallNow() }));
  await settle();
  clock.jumpWall(-86_400_000);
  await registration.setStatus('down');
  await registration.setWeight(3);
  const [first = 0] = put.map(({ incarnation }) => incarnation);
  assert.deepEqual(
    put.map(({ incarnation }) => incarnation - first),
    [0, 1, 2],
  );
});

test('a request that is not answered ends after its time, and is tried again', async () => {
  let silent = true;
  const { kept, clock, asked, said } = world({
    put: (_, call) =>
      silent ? sleep(Infinity, call).then(() => ({ kind: 'kept' })) : Promise.resolve({ kind: 'kept' }),
  });
  const { announced } = kept.registrar.register(anInstance());
  await clock.advance(5_010);
  await announced;
  silent = false;
  await clock.advance(1_000);
  assert.equal(asked.length, 2);
  assert.deepEqual(said(), ['registered']);
});

test('leaving lets a registration end that is on its way, so that it cannot arrive after the farewell', async () => {
  const { kept, clock, asked, said } = world({
    put: async (_, call) => {
      await sleep(600, call);
      return { kind: 'kept' };
    },
  });
  const registration = kept.registrar.register(anInstance());
  await settle();
  const leaving = registration.deregister();
  await clock.advance(600);
  await leaving;
  assert.equal(registration.deregister(), leaving, 'later calls share the promise');
  assert.deepEqual(asked, ['put up at 0', 'remove at 600']);
  assert.deepEqual(said(), ['registered', 'deregistered']);
});

for (const [kind, parts, removedAt] of [
  ['a registration that does not end is broken off for the second half of the time', 'put', 1_000],
  ['a renewal is broken off at once: it brings nobody back', 'renew', 0],
] as const) {
  test(`when leaving, ${kind}`, async () => {
    let reason: unknown;
    const hanging: Place['put'] & Place['renew'] = (_, call) =>
      sleep(Infinity, call).then(
        () => ({ kind: 'kept' as const }),
        (cancelled) => {
          reason = cancelled;
          throw cancelled;
        },
      );
    const { kept, clock, asked } = world({ [parts]: hanging });
    const registration = kept.registrar.register(anInstance());
    await settle();
    kept.renewNow();
    await settle();
    const leaving = registration.deregister();
    await clock.advance(1_000);
    await leaving;
    assert.equal(asked.at(-1), `remove at ${removedAt}`);
    assert.match(String(reason), /CANCELLED: the instance is leaving/);
  });
}

test('who left is not noticed any more, and a place that cannot notice has no word for it', async () => {
  const limits: number[] = [];
  const { kept } = world({
    noticed: async (_, limitMs) => {
      limits.push(limitMs);
      return true;
    },
  });
  const registration = kept.registrar.register(anInstance());
  assert.equal(await registration.noticed?.(7), true);
  await registration.deregister();
  assert.equal(await registration.noticed?.(8), false);
  assert.deepEqual(limits, [7]);
  assert.equal(world().kept.registrar.register(anInstance()).noticed, undefined);
});

test('a closed registrar registers nobody', async () => {
  const { kept, asked } = world();
  kept.close();
  const registration = kept.registrar.register(anInstance());
  await registration.announced;
  await registration.setStatus('down');
  await registration.deregister();
  assert.deepEqual(asked, []);
});
