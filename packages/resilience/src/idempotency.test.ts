import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Call,
  type CallOptions,
  compose,
  FlotillaError,
  type Handler,
  idempotentAttribute,
  type Store,
} from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { createMemoryStore } from '@flotilla/store/memory';
import fc from 'fast-check';
import type { PolicyEvent } from './events.ts';
import { type IdempotencyOptions, idempotency, idempotencyDefaults, replayedAttribute } from './idempotency.ts';

type Work = Handler<string, unknown>;

/** Two instances of one service that share a store. */
function world(options: Partial<IdempotencyOptions<string>> = {}) {
  const clock = new ManualClock();
  const store = options.store ?? createMemoryStore({ clock });
  const told: PolicyEvent[] = [];
  const done: string[] = [];
  let work: Work = async (request) => ({ got: request, n: done.length });
  const handler: Work = (request, call) => {
    done.push(request);
    return work(request, call);
  };
  const instance = (): Work =>
    compose(
      [
        idempotency<string, unknown>({
          store,
          keyOf: (_, { idempotencyKey }) => idempotencyKey,
          printOf: (request) => request,
          events: { report: (event) => void told.push(event) },
          ...options,
        }),
      ],
      handler,
    );
  const newCall = (given: Partial<CallOptions> & { readonly idempotent?: boolean } = {}): Call => {
    const call = new Call({ clock, random: seededRandom(done.length + 1), idempotencyKey: 'k', ...given });
    call.set(idempotentAttribute, given.idempotent ?? true);
    return call;
  };
  return {
    clock,
    store,
    done,
    newCall,
    one: instance(),
    two: instance(),
    kinds: () => told.map(({ kind }) => kind),
    works(next: Work) {
      work = next;
    },
  };
}

/** Work whose end the test says. */
function gate(): { readonly work: Work; end(value: unknown): void; fail(error: Error): void } {
  let end = (_: unknown): void => {};
  let fail = (_: Error): void => {};
  const promise = new Promise((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { work: () => promise, end: (value) => end(value), fail: (error) => fail(error) };
}

test('the defaults are these', () => {
  assert.deepEqual(idempotencyDefaults, {
    enabled: true,
    ttlMs: 86_400_000,
    runningMs: 60_000,
    onDuplicate: 'wait',
    whenStoreAway: 'auto',
    maxAnswerBytes: 65_536,
  });
});

test('a command that comes again gets the answer, on any instance, and nothing is done', async () => {
  const { one, two, done, newCall, kinds } = world();
  const first = await one('a', newCall());
  const again = newCall();
  assert.deepEqual(await two('a', again), first);
  assert.deepEqual(await one('a', newCall()), first);
  assert.equal(again.get(replayedAttribute), true);
  assert.deepEqual([done, kinds()], [['a'], ['replayed', 'replayed']]);
});

test('another key is another command, and none is none', async () => {
  const { one, done, newCall } = world();
  await one('a', newCall());
  await one('a', newCall({ idempotencyKey: 'other' }));
  await one('a', newCall({ idempotencyKey: undefined }));
  await one('a', newCall({ idempotencyKey: undefined }));
  assert.equal(done.length, 4);
});

test('an answer without a value comes again as such', async () => {
  const { one, done, newCall, works } = world();
  works(async () => undefined);
  assert.equal(await one('a', newCall()), undefined);
  assert.equal(await one('a', newCall()), undefined);
  assert.equal(done.length, 1);
});

test('another input under the same key is refused, and was not done', async () => {
  const { one, two, done, newCall, kinds } = world();
  await one('a', newCall());
  await assert.rejects(two('b', newCall()), { code: 'IDEMPOTENCY_KEY_REUSED', executed: 'no' });
  assert.deepEqual([done, kinds()], [['a'], ['conflict']]);
});

test('who comes while the first is worked on waits for its answer, here and elsewhere', async () => {
  const { one, two, done, clock, newCall, works, kinds } = world();
  const { work, end } = gate();
  works(work);
  const first = one('a', newCall());
  await settle();
  const others = [one('a', newCall()), two('a', newCall())];
  await clock.advance(300);
  end('done');
  await clock.advance(1_000);
  assert.deepEqual(await Promise.all([first, ...others]), ['done', 'done', 'done']);
  assert.equal(done.length, 1);
  assert.deepEqual(kinds(), ['waited', 'waited', 'replayed', 'replayed']);
});

test('or is refused at once, with the time to ask again', async () => {
  const { one, two, newCall, works } = world({ onDuplicate: 'refuse' });
  works(gate().work);
  void one('a', newCall());
  await assert.rejects(two('a', newCall()), { code: 'DUPLICATE_REQUEST', executed: 'unknown', retryAfterMs: 1_000 });
});

test('who waits does so until its own deadline', async () => {
  const { one, two, clock, newCall, works } = world();
  works(gate().work);
  void one('a', newCall());
  await settle();
  const late = [one, two].map((instance) =>
    assert.rejects(instance('a', newCall({ deadline: 500 })), { code: 'DEADLINE_EXCEEDED' }),
  );
  await clock.advance(510);
  await Promise.all(late);
});

test('the answer is remembered for a caller that has gone: its repetition gets it', async () => {
  const { one, two, done, newCall, works } = world();
  const { work, end } = gate();
  works(work);
  const call = newCall();
  const first = one('a', call);
  await settle();
  call.cancel();
  end('done');
  await first;
  assert.equal(await two('a', newCall()), 'done');
  assert.equal(done.length, 1);
});

test('an error that is the answer comes again; what was not executed runs again', async () => {
  const { one, two, done, newCall, works } = world();
  works(async () => {
    throw new FlotillaError('OUT_OF_STOCK', 'none left', { executed: 'yes', httpStatus: 409, data: { left: 0 } });
  });
  const soldOut = { code: 'OUT_OF_STOCK', executed: 'yes', httpStatus: 409, data: { left: 0 } };
  await assert.rejects(one('a', newCall()), soldOut);
  works(async () => 'never');
  await assert.rejects(two('a', newCall()), soldOut);
  assert.equal(done.length, 1);
  const key = { idempotencyKey: 'another' };
  works(async () => {
    throw new FlotillaError('UNAVAILABLE', 'busy');
  });
  await assert.rejects(one('a', newCall(key)), { code: 'UNAVAILABLE' });
  works(async () => 'now');
  assert.equal(await two('a', newCall(key)), 'now');
});

test('a failure of unknown outcome runs again only where that does no harm', async () => {
  for (const idempotent of [true, false]) {
    const { one, two, newCall, works } = world();
    works(async () => {
      throw new FlotillaError('CONNECTION_LOST', 'gone');
    });
    await assert.rejects(one('a', newCall({ idempotent })), { code: 'CONNECTION_LOST' });
    works(async () => 'again');
    const again = two('a', newCall({ idempotent }));
    if (idempotent) assert.equal(await again, 'again');
    else await assert.rejects(again, { code: 'CONNECTION_LOST', executed: 'unknown' });
  }
});

test('what is thrown may stand for something else', async () => {
  const failureOf = (thrown: unknown): FlotillaError => new FlotillaError('KNOWN', String(thrown), { executed: 'yes' });
  const { one, two, newCall, works } = world({ failureOf });
  works(async () => {
    throw new Error('oops');
  });
  await assert.rejects(one('a', newCall()), /^Error: oops$/);
  await assert.rejects(two('a', newCall()), { code: 'KNOWN' });
});

test('who crashed is replaced where that does no harm; else its repetition learns that nobody knows', async () => {
  for (const idempotent of [true, false]) {
    const { one, two, clock, newCall, works } = world();
    works(gate().work); // never ends: as good as crashed
    void one('a', newCall({ deadline: 1_000, idempotent }));
    await settle();
    works(async () => 'by another');
    const again = two('a', newCall({ deadline: 20_000, idempotent }));
    const outcome = idempotent
      ? again.then((value) => assert.equal(value, 'by another'))
      : assert.rejects(again, { code: 'DUPLICATE_REQUEST', executed: 'unknown', message: /never ended/ });
    await clock.advance(5_900);
    await clock.advance(3_000);
    await outcome;
  }
});

test('what is remembered is forgotten after its time', async () => {
  const { one, done, clock, newCall } = world({ ttlMs: 1_000 });
  await one('a', newCall());
  await clock.advance(1_000);
  await one('a', newCall());
  assert.equal(done.length, 2);
});

test('too large an answer is not remembered; that it was done is, where doing it again would do harm', async () => {
  const { one, done, newCall, works } = world({ maxAnswerBytes: 100 });
  works(async () => 'x'.repeat(200));
  await one('a', newCall());
  await one('a', newCall());
  assert.equal(done.length, 2);
  const key = { idempotencyKey: 'other', idempotent: false };
  await one('a', newCall(key));
  await assert.rejects(one('a', newCall(key)), { code: 'DUPLICATE_REQUEST', executed: 'yes', message: /too large/ });
});

/** A store that is away whenever the test says so. */
function failing(clock: ManualClock): Store & { isAway: boolean } {
  const store = createMemoryStore({ clock });
  const away = (): Promise<never> => Promise.reject(new FlotillaError('UNAVAILABLE', 'the store is away'));
  return {
    ...store,
    isAway: true,
    compareAndSet(key, change, call) {
      return this.isAway ? away() : store.compareAndSet(key, change, call);
    },
  };
}

test('while the store is away, what may be done twice runs, and the rest is refused', async () => {
  const { one, done, newCall, kinds } = world({ store: failing(new ManualClock()) });
  await one('a', newCall());
  await assert.rejects(one('a', newCall({ idempotent: false })), {
    code: 'UNAVAILABLE',
    executed: 'no',
    retryAfterMs: 1_000,
    message: /the store is away; see idempotency.whenStoreAway/,
  });
  assert.equal(done.length, 1);
  assert.ok(kinds().every((kind) => kind === 'store_away'));
});

test('the policy may be to run all, or nothing', async () => {
  for (const whenStoreAway of ['run', 'refuse'] as const) {
    const { one, done, newCall } = world({ store: failing(new ManualClock()), whenStoreAway });
    const outcomes = await Promise.allSettled([one('a', newCall()), one('b', newCall({ idempotent: false }))]);
    assert.equal(
      outcomes.every(({ status }) => status === 'fulfilled'),
      whenStoreAway === 'run',
    );
    assert.equal(done.length, whenStoreAway === 'run' ? 2 : 0);
  }
});

test('a store that goes away meanwhile costs the memory, not the answer', async () => {
  const store = failing(new ManualClock());
  store.isAway = false;
  const { one, newCall, works, kinds } = world({ store });
  works(async () => {
    store.isAway = true;
    return 'done';
  });
  assert.equal(await one('a', newCall()), 'done');
  assert.deepEqual(kinds(), ['store_away']);
});

test('a name that another program wrote under is a store that is away', async () => {
  const { store, one, newCall, done } = world();
  await store.put('k', 'something else', 60_000);
  await one('a', newCall());
  await assert.rejects(one('a', newCall({ idempotent: false })), { code: 'UNAVAILABLE', executed: 'no' });
  assert.equal(done.length, 1);
});

test('a number that does not fit is refused by name', () => {
  assert.throws(() => world({ ttlMs: 0 }), /^RangeError: ttlMs must be from 1000 to 2592000000, got 0$/);
});

/** Naive model: of all who come with one key and one input, on any instance, one works, and all get what it got. */
test('of many who come on several instances, one works and all get its answer', async () => {
  const arrival = fc.record({
    afterMs: fc.integer({ min: 0, max: 300 }),
    on: fc.integer({ min: 0, max: 2 }),
    key: fc.constantFrom('x', 'y'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 0, max: 200 }),
      async (arrivals, workMs) => {
        const { one, two, done, clock, newCall, works } = world();
        works(
          (request, call) =>
            new Promise((resolve) => void call.clock.setTimer(workMs, () => resolve({ request, of: done.length }))),
        );
        const answers: { key: string; answer: Promise<unknown> }[] = [];
        for (const { afterMs, on, key } of arrivals) {
          await clock.advance(afterMs);
          answers.push({
            key,
            answer: [one, two, one][on]?.(key, newCall({ idempotencyKey: key })) as Promise<unknown>,
          });
        }
        await clock.advance(5_000);
        const keys = new Set(arrivals.map(({ key }) => key));
        assert.deepEqual([...done].sort(), [...keys].sort());
        for (const key of keys) {
          const got = await Promise.all(answers.filter((each) => each.key === key).map(({ answer }) => answer));
          for (const each of got) assert.deepEqual(each, got[0]);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('an answer that is no JSON is a failure of unknown outcome: what may not be done twice is not done again', async () => {
  const { done, newCall, one, two, works } = world();
  works(async () => 1n);
  await assert.rejects(one('a', newCall({ idempotent: false })), TypeError);
  await assert.rejects(two('a', newCall({ idempotent: false })), { code: 'INTERNAL', executed: 'unknown' });
  assert.equal(done.length, 1);
});
