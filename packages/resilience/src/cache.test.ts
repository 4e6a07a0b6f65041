import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, compose, FlotillaError, type Handler, type Labels, type Meter, nullMeter } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { type CacheOptions, cacheDefaults, createAnswerCache, freshAttribute } from './cache.ts';
import type { PolicyEvent } from './events.ts';

const times = { ttlMs: 100, staleWhileRevalidateMs: 50, staleIfErrorMs: 1_000 };

/** A callee whose next answers the test gives: a value, or an error. */
function world(options: Partial<CacheOptions<string>> = {}) {
  const clock = new ManualClock();
  const calls: Call[] = [];
  const told: PolicyEvent[] = [];
  let answer: () => unknown = () => ({ n: calls.length });
  const callee: Handler<string, unknown> = async (_, call) => {
    calls.push(call);
    try {
      const value = await answer();
      call.end();
      return value;
    } catch (thrown) {
      call.end(thrown as FlotillaError);
      throw thrown;
    }
  };
  const cache = createAnswerCache<string, unknown>({
    keyOf: (request) => (request === 'own' ? undefined : request),
    events: { report: (event) => void told.push(event) },
    ...times,
    ...options,
  });
  const handle = compose([cache.filter], callee);
  const newCall = (): Call => new Call({ clock, random: seededRandom(1) });
  return {
    clock,
    cache,
    calls,
    newCall,
    kinds: () => told.map(({ kind }) => kind),
    ask: (request = 'a', call = newCall()) => handle(request, call),
    answers(next: () => unknown) {
      answer = next;
    },
  };
}

const down = (): never => {
  throw new FlotillaError('UNAVAILABLE', 'down');
};

test('the defaults are these', () => {
  assert.deepEqual(cacheDefaults, {
    enabled: false,
    ttlMs: 5_000,
    staleWhileRevalidateMs: 5_000,
    staleIfErrorMs: 300_000,
    maxEntries: 1_000,
    maxBytes: 16_777_216,
    maxEntryBytes: 262_144,
    maxRenewals: 100,
    renewalMs: 10_000,
  });
});

test('a fresh answer is given at once, to each caller an object of its own', async () => {
  const { ask, calls, newCall } = world();
  const first = (await ask()) as { n: number };
  first.n = 99;
  const call = newCall();
  const second = await ask('a', call);
  assert.deepEqual(second, { n: 1 });
  assert.notEqual(second, await ask());
  assert.equal(calls.length, 1);
  assert.equal(call.ended, true);
});

test('a stale answer is given while one call behind fetches a new one', async () => {
  const { ask, clock, calls, kinds } = world();
  await ask();
  await clock.advance(120);
  const answers = await Promise.all([ask(), ask(), ask()]);
  assert.deepEqual(answers, [{ n: 1 }, { n: 1 }, { n: 1 }]);
  await settle();
  assert.equal(calls.length, 2);
  assert.deepEqual(await ask(), { n: 2 });
  assert.deepEqual(kinds(), ['stale', 'stale', 'stale']);
});

test('the call behind ends by itself, however its caller ends', async () => {
  const { ask, clock, calls, newCall, answers } = world({ renewalMs: 500 });
  await ask();
  await clock.advance(120);
  answers(() => new Promise(() => {}));
  const call = newCall();
  await ask('a', call);
  call.cancel();
  assert.deepEqual([calls[1]?.cancelled], [undefined]);
  assert.equal(calls[1]?.deadline, 620);
  await clock.advance(600);
  assert.equal(calls[1]?.cancelled?.code, 'DEADLINE_EXCEEDED');
});

test('when the callee cannot answer, an old answer is given and the call has not failed', async () => {
  const { ask, clock, answers, kinds, newCall } = world();
  await ask();
  await clock.advance(500);
  answers(down);
  const call = newCall();
  let outcome: unknown = 'none';
  call.onEnd((ended) => {
    outcome = ended;
  });
  assert.deepEqual(await ask('a', call), { n: 1 });
  assert.equal(outcome, undefined);
  assert.deepEqual(kinds(), ['stale_if_error']);
  await clock.advance(600);
  await assert.rejects(ask(), { code: 'UNAVAILABLE' });
});

test('an error that is an answer is passed on, and what was kept is forgotten', async () => {
  const { ask, clock, answers } = world();
  await ask();
  await clock.advance(500);
  answers(() => {
    throw new FlotillaError('NOT_FOUND', 'gone', { httpStatus: 404 });
  });
  await assert.rejects(ask(), { code: 'NOT_FOUND' });
  answers(down);
  await assert.rejects(ask(), { code: 'UNAVAILABLE' });
});

test('errors are not kept', async () => {
  const { ask, calls, answers } = world();
  answers(down);
  await assert.rejects(ask());
  await assert.rejects(ask());
  assert.equal(calls.length, 2);
});

test('what was forgotten while it was on its way is not kept', async () => {
  for (const forget of ['delete', 'deleteWhere', 'clear'] as const) {
    const { ask, cache, calls, answers } = world();
    let release = (_: unknown): void => {};
    answers(
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    const asking = ask();
    if (forget === 'delete') cache.delete('a');
    else if (forget === 'deleteWhere') cache.deleteWhere((key) => key === 'a');
    else cache.clear();
    release('old');
    assert.equal(await asking, 'old');
    assert.equal(cache.size, 0, forget);
    answers(() => 'new');
    assert.equal(await ask(), 'new');
    assert.equal(calls.length, 2);
  }
});

test('a call that wants a fresh answer gets one, and keeps it for others', async () => {
  const { ask, newCall } = world();
  await ask();
  const call = newCall();
  call.set(freshAttribute, true);
  assert.deepEqual(await ask('a', call), { n: 2 });
  assert.deepEqual(await ask(), { n: 2 });
});

test('what has no key, and what is no JSON, is not kept', async () => {
  const { ask, cache, answers } = world();
  await ask('own');
  answers(() => undefined);
  await ask('nothing');
  assert.equal(cache.size, 0);
});

test('bytes and entries are bounded, and that something had to go is told', async () => {
  const { ask, cache, kinds, answers } = world({ maxEntries: 2, maxEntryBytes: 100 });
  for (const request of ['a', 'b', 'c']) await ask(request);
  answers(() => 'x'.repeat(200));
  await ask('large');
  assert.equal(cache.size, 2);
  assert.deepEqual(kinds(), ['evicted']);
});

test('a caller that is gone gets its reason, not an answer', async () => {
  const { ask, newCall } = world();
  await ask();
  const call = newCall();
  call.cancel();
  await assert.rejects(ask('a', call), { code: 'CANCELLED' });
  assert.equal(call.ended, true);
});

test('answers are counted by where they came from', async () => {
  const lines: string[] = [];
  const family = (name: string) => ({
    with: (labels: Labels) => ({
      add: () => void lines.push(`${name} ${Object.values(labels).join(' ')}`),
      set: (value: number) => void lines.push(`${name} ${value}`),
      record() {},
    }),
  });
  const meter: Meter = { ...nullMeter, counter: ({ name }) => family(name), gauge: ({ name }) => family(name) };
  const { ask } = world({ meter, target: 'catalog', operationOf: () => 'catalog.product' });
  await ask();
  await ask();
  assert.deepEqual(lines, [
    'flotilla_cache_answers_total catalog catalog.product miss',
    'flotilla_cache_entries 1',
    'flotilla_cache_bytes 8',
    'flotilla_cache_answers_total catalog catalog.product hit',
  ]);
});
