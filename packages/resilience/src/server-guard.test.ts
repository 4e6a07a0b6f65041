import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, compose, type FlotillaError, type Handler } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import type { PolicyEvent } from './events.ts';
import type { ProcessLoad } from './load-source.ts';
import { ranks } from './places.ts';
import { serverFilter, serverGates } from './server-composition.ts';
import { type GuardedOptions, ServerGuard } from './server-guard.ts';
import { type GivenServerPolicies, resolveServerPolicies, sheddingDefaults } from './server-policies.ts';
import { isShed, levelOf, shareOf } from './shedding.ts';

function stage(given: GivenServerPolicies = {}, options: Partial<GuardedOptions> = {}) {
  const clock = new ManualClock();
  let load: ProcessLoad = { loopDelayMs: 0, utilisation: 1, heapFraction: 0.1 };
  const events: PolicyEvent[] = [];
  const turns: (() => void)[] = [];
  const guard = new ServerGuard({
    policies: resolveServerPolicies(given),
    clock,
    load: { load: () => load, afterTurn: (listener) => turns.push(listener) },
    events: { report: (event) => events.push(event) },
  });
  let asked = 0;
  const echo: Handler<string, string> = async (request) => {
    asked += 1;
    return request;
  };
  const handle = serverFilter<string, string>({ guard, operation: 'catalog.product', ...options })(echo);
  const newCall = (urgency = 3): Call => new Call({ clock, random: seededRandom(1), urgency });
  return {
    clock,
    guard,
    events,
    handle,
    newCall,
    asked: () => asked,
    endTurn: () => {
      for (const listener of turns.splice(0)) listener();
    },
    setLoad: (next: Partial<ProcessLoad>) => {
      load = { ...load, ...next };
    },
  };
}

const four = { concurrency: { initialLimit: 4, minLimit: 4 }, queue: { maxQueued: 0 } };

test('the composition of a server is one list with a reason per line', () => {
  const names = (given: GivenServerPolicies): string[] => {
    const { guard } = stage(given);
    const entries = serverGates({ guard, operation: 'a.b' });
    assert.ok(entries.every(({ reason }) => reason.length > 20));
    return entries.map(({ name }) => name);
  };
  assert.deepEqual(names({}), ['shedding', 'concurrency']);
  assert.deepEqual(names({ rateLimit: { ratePerSecond: 5 } }), ['shedding', 'rateLimit', 'concurrency']);
  assert.deepEqual(names({ shedding: { enabled: false }, concurrency: { enabled: false } }), []);
});

test('beyond the limit a call is refused before its handler runs, with a time to come again', async () => {
  const { handle, newCall, asked, guard } = stage(four);
  for (let index = 0; index < 4; index++) await handle('a', newCall());
  const refused = newCall();
  await assert.rejects(handle('b', refused), (error: FlotillaError) => {
    assert.equal(error.code, 'UNAVAILABLE');
    assert.equal(error.executed, 'no');
    assert.ok((error.retryAfterMs ?? 0) >= 50 && (error.retryAfterMs ?? 0) <= 150);
    assert.match(error.detail, /4 calls are in hand, the limit for default ones is 4/);
    return true;
  });
  assert.equal(asked(), 4);
  assert.equal(refused.ended, false, 'whoever answers ends it');
  assert.equal(guard.refused, 1);
});

test('low priority is refused first, critical calls last', async () => {
  const { handle, newCall, guard } = stage({ concurrency: { initialLimit: 10, minLimit: 4 }, queue: { maxQueued: 0 } });
  const [critical, bulk, probe] = [0, 6, 7];
  for (let index = 0; index < 5; index++) await handle('a', newCall());
  await assert.rejects(handle('probe', newCall(probe)), { code: 'UNAVAILABLE' });
  await handle('bulk', newCall(bulk));
  await handle('bulk', newCall(bulk));
  await assert.rejects(handle('bulk', newCall(bulk)), { code: 'UNAVAILABLE' });
  for (let index = 0; index < 3; index++) await handle('a', newCall());
  await assert.rejects(handle('a', newCall()), { code: 'UNAVAILABLE' });
  for (let index = 0; index < 10; index++) await handle('critical', newCall(critical));
  await assert.rejects(handle('critical', newCall(critical)), { code: 'UNAVAILABLE' });
  assert.equal(guard.places.inFlight, 20, 'twice the limit bounds them too');
});

test('a call keeps its place until its last byte, a stream until it begins', async () => {
  const whole = stage(four);
  const call = whole.newCall();
  await whole.handle('a', call);
  assert.equal(whole.guard.places.inFlight, 1);
  call.end();
  assert.equal(whole.guard.places.inFlight, 0);
  const stream = stage(four, { until: 'head', timed: false });
  for (let index = 0; index < 100; index++) await stream.handle('a', stream.newCall());
  await stream.clock.advance(0);
  assert.equal(stream.guard.places.inFlight, 0);
});

test('a stream that has given its place back leaves the limit at work', async () => {
  const { clock, guard, handle, newCall, setLoad } = stage(
    { concurrency: { initialLimit: 4, minLimit: 2 } },
    { until: 'head' },
  );
  await handle('stream', newCall()); // goes on for ever
  await clock.advance(1_000);
  setLoad({ loopDelayMs: 40 }); // twice what is allowed
  const unary = serverFilter<string, string>({ guard, operation: 'catalog.product' })(async (request) => request);
  const calls = Array.from({ length: 3 }, () => newCall());
  for (const call of calls) await unary('a', call);
  for (const call of calls) call.end();
  assert.equal(guard.limit, 2);
});

test('a burst waits a moment; a queue that is never empty takes the newest, and nobody when it is empty at last', async () => {
  const { clock, handle, newCall, guard } = stage({
    concurrency: { initialLimit: 4, minLimit: 4 },
    queue: { maxQueued: 10, maxWaitMs: 1_000, standingMs: 50 },
  });
  const first = Array.from({ length: 4 }, () => newCall());
  for (const call of first) await handle('a', call);
  const waiting = handle('burst', newCall());
  await clock.advance(49);
  first[0]?.end();
  assert.equal(await waiting, 'burst');
  const stands = assert.rejects(handle('stands', newCall()), { code: 'UNAVAILABLE', executed: 'no' });
  await clock.advance(50);
  const late = handle('late', newCall());
  await stands;
  first[1]?.end();
  assert.equal(await late, 'late');
  await assert.rejects(handle('too late', newCall()), { code: 'UNAVAILABLE' });
  for (let index = 0; index < 4; index++) await handle('critical', newCall(0)); // their extra places
  const critical = handle('critical', newCall(0));
  await clock.advance(0);
  assert.equal(guard.places.queued, 1);
  for (let index = 2; index < 4; index++) first[index]?.end();
  guard.configure(resolveServerPolicies({ concurrency: { initialLimit: 100, minLimit: 100 } }));
  assert.equal(await critical, 'critical');
});

/** A busy process with 30 calls in hand, for which ten ended in 50 ms of computing: 5 ms each, beside 20 ms that each takes at rest. */
async function pressed(queue: GivenServerPolicies['queue'] = {}) {
  const staged = stage({ concurrency: { initialLimit: 40, minLimit: 4 }, queue });
  const { clock, handle, newCall } = staged;
  const calls = Array.from({ length: 40 }, () => newCall());
  for (const call of calls) await handle('a', call);
  const keptOut = handle('kept out', newCall()).catch(() => {});
  await clock.advance(20);
  for (const call of calls.slice(0, 9)) call.end();
  await clock.advance(30);
  calls[9]?.end();
  await keptOut;
  return { ...staged, calls };
}

test('a busy process that keeps callers out begins few calls in a turn, and says so; with next to nothing in hand it does not', async () => {
  const { clock, guard, handle, newCall, endTurn, calls } = await pressed();
  const others = ['first', 'second', 'third'].map((name) => ({ name, call: newCall() }));
  const begun = others.map(({ name, call }) => handle(name, call));
  await clock.advance(0);
  assert.equal(guard.places.queued, 1, 'the turn bears 20 ms × 0.4 ÷ 5 ms = 1.6 calls, so that the third waits');
  endTurn();
  assert.deepEqual(await Promise.all(begun), ['first', 'second', 'third']);
  for (const call of [...calls.slice(10), ...others.map(({ call }) => call)]) call.end();
  for (let index = 0; index < 3; index++) await handle('few', newCall());
});

test('who is refused because the turn is full learns that', async () => {
  const { clock, handle, newCall } = await pressed({ maxQueued: 0 });
  await handle('first', newCall());
  await handle('second', newCall());
  await assert.rejects(handle('third', newCall()), /2 calls began in this turn of the event loop/);
  await clock.advance(0);
});

test('a process in trouble refuses by class, but never when it has next to nothing in hand', async () => {
  const { handle, newCall, setLoad, events } = stage({ concurrency: { initialLimit: 100, minLimit: 4 } });
  setLoad({ loopDelayMs: 300 });
  await handle('alone', newCall(7));
  for (let index = 0; index < 3; index++) await handle('a', newCall());
  await assert.rejects(handle('a', newCall()), /event loop is 300 ms late/);
  await handle('critical', newCall(0));
  setLoad({ loopDelayMs: 150 });
  await handle('a', newCall());
  await assert.rejects(handle('bulk', newCall(6)), { code: 'UNAVAILABLE' });
  setLoad({ loopDelayMs: 0, heapFraction: 0.95 });
  await assert.rejects(handle('a', newCall()), /95 % of its heap is in use/);
  setLoad({ heapFraction: 0.2 });
  await handle('bulk', newCall(6));
  const changes = events.filter(({ kind }) => kind === 'began' || kind === 'ended').map(({ kind }) => kind);
  assert.deepEqual(changes, ['began', 'ended']);
});

test('a rate limit of the server leaves the call to whoever answers it', async () => {
  const { handle, newCall } = stage({ rateLimit: { ratePerSecond: 1, burst: 1 } });
  await handle('a', newCall());
  const refused = newCall();
  await assert.rejects(handle('a', refused), { code: 'RATE_LIMITED', executed: 'no', retryAfterMs: 1_000 });
  assert.equal(refused.ended, false);
});

test('another configuration counts at once, and takes nobody out', async () => {
  const { handle, newCall, guard } = stage(four);
  for (let index = 0; index < 4; index++) await handle('a', newCall());
  await assert.rejects(handle('a', newCall()));
  guard.configure(resolveServerPolicies({ concurrency: { enabled: false } }));
  await handle('a', newCall());
  guard.configure(resolveServerPolicies(four));
  await assert.rejects(handle('a', newCall()));
  assert.equal(guard.places.inFlight, 4);
});

test('shares fall with the class, whatever the settings', () => {
  const settings = fc.record({
    bulkFraction: fc.double({ min: 0, max: 1, noNaN: true }),
    probeFraction: fc.double({ min: 0, max: 1, noNaN: true }),
    criticalExtraFraction: fc.double({ min: 0, max: 10, noNaN: true }),
  });
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 1_000 }), fc.boolean(), (given, limit, enabled) => {
      const all = { ...sheddingDefaults, ...given, enabled };
      const shares = Object.values(ranks).map((rank) => shareOf(rank, limit, all));
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => b - a),
      );
      assert.equal(shareOf(ranks.default, limit, all), limit);
    }),
  );
});

test('levels: the greater trouble decides, and critical calls are never shed', () => {
  const level = (loopDelayMs: number, heapFraction: number): string =>
    levelOf({ loopDelayMs, heapFraction, utilisation: 1 }, sheddingDefaults);
  assert.deepEqual(
    [level(100, 0.85), level(101, 0), level(0, 0.86), level(251, 0.86), level(0, 0.93)],
    ['calm', 'busy', 'busy', 'stalled', 'stalled'],
  );
  const shed = (name: 'calm' | 'busy' | 'stalled'): boolean[] => Object.values(ranks).map((rank) => isShed(rank, name));
  assert.deepEqual(shed('calm'), [false, false, false, false]);
  assert.deepEqual(shed('busy'), [false, false, true, true]);
  assert.deepEqual(shed('stalled'), [false, true, true, true]);
});

test('what it could take within a time follows its limit, and how long calls take', async () => {
  const { clock, guard, handle, newCall } = stage({ concurrency: { initialLimit: 20, minLimit: 20 } });
  assert.equal(guard.allowance(1_000), 20_000);
  for (let index = 0; index < 20; index++) {
    const call = newCall();
    await handle('a', call);
    await clock.advance(10);
    call.end();
  }
  assert.equal(guard.allowance(1_000), guard.limit * 100);
  guard.configure(resolveServerPolicies({ concurrency: { enabled: false } }));
  assert.equal(guard.allowance(1_000), 1_000_000);
});

test('the filter composes around any handler, also one of another transport', async () => {
  const { guard, newCall } = stage();
  const filters = [serverFilter<number, number>({ guard, operation: 'a.b' })];
  assert.equal(await compose(filters, async (request) => request + 1)(1, newCall()), 2);
});
