import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, Call, compose, FlotillaError, type Handler } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import fc from 'fast-check';
import type { PolicyEvent } from './events.ts';
import { renewedUntil, type SingleFlightOptions, singleFlight, singleFlightDefaults } from './single-flight.ts';

interface Asked {
  readonly request: string;
  readonly call: Call;
  answer(value: unknown): void;
  fail(error: FlotillaError): void;
}

/** A callee whose answers the test gives. */
function world(options: Partial<SingleFlightOptions<string, unknown>> = {}) {
  const clock = new ManualClock();
  const asked: Asked[] = [];
  const callee: Handler<string, unknown> = (request, call) =>
    new Promise((resolve, reject) => {
      const fail = (error: FlotillaError): void => {
        call.end(error);
        reject(error);
      };
      const answer = (value: unknown): void => {
        call.end();
        resolve(value);
      };
      asked.push({ request, call, answer, fail });
      call.onCancel(fail);
    });
  const handle = compose([singleFlight({ keyOf: (request) => request, ...options })], callee);
  const call = (timeoutMs = Infinity): Call =>
    new Call({ clock, random: seededRandom(1), deadline: clock.now() + timeoutMs });
  return { clock, asked, handle, call };
}

test('the defaults are these', () => {
  assert.deepEqual(singleFlightDefaults, { enabled: false, maxFlights: 10_000, minRenewMs: 50 });
});

test('who asks for the same meanwhile gets the same answer, as an object of its own', async () => {
  const events: PolicyEvent[] = [];
  const { asked, handle, call } = world({ events: { report: (event) => void events.push(event) }, target: 'catalog' });
  const calls = [call(), call(), call()];
  const answers = calls.map((each) => handle('a', each));
  const other = handle('b', call());
  assert.deepEqual(
    asked.map(({ request }) => request),
    ['a', 'b'],
  );
  asked[0]?.answer({ n: 1 });
  asked[1]?.answer('other');
  const got = await Promise.all(answers);
  assert.deepEqual(got, [{ n: 1 }, { n: 1 }, { n: 1 }]);
  assert.equal(new Set(got).size, 3);
  assert.equal(await other, 'other');
  assert.ok(calls.every(({ ended }) => ended));
  assert.deepEqual(
    events.map(({ policy, kind, target }) => [policy, kind, target]),
    Array(2).fill(['singleFlight', 'joined', 'catalog']),
  );
});

test('an answer is shared by those who wait for it only', async () => {
  const { asked, handle, call } = world();
  const first = handle('a', call());
  asked[0]?.answer(1);
  await first;
  void handle('a', call());
  assert.equal(asked.length, 2);
});

test('all get the one error', async () => {
  const { asked, handle, call } = world();
  const answers = [handle('a', call()), handle('a', call())];
  asked[0]?.fail(new FlotillaError('UNAVAILABLE', 'no'));
  for (const answer of answers) await assert.rejects(answer, { code: 'UNAVAILABLE' });
});

test('who leaves takes nobody along, not even who began; when all have left the call is cancelled', async () => {
  const { asked, handle, call } = world();
  const [first, second] = [call(), call()];
  const answers = [handle('a', first), handle('a', second)];
  first.cancel();
  await assert.rejects(answers[0] as Promise<unknown>, { code: 'CANCELLED' });
  assert.deepEqual([asked[0]?.call.cancelled], [undefined]);
  second.cancel();
  await assert.rejects(answers[1] as Promise<unknown>, { code: 'CANCELLED' });
  assert.equal(asked[0]?.call.cancelled?.code, 'CANCELLED');
  void handle('a', call());
  assert.equal(asked.length, 2, 'nobody joins a call that was cancelled');
});

test('a call that is cancelled already asks nobody', async () => {
  const { asked, handle, call } = world();
  const cancelled = call();
  cancelled.cancel();
  await assert.rejects(handle('a', cancelled), { code: 'CANCELLED' });
  assert.equal(asked.length, 0);
});

test('the shared call has the attributes, trace and deadline of who began', async () => {
  const { asked, handle, call } = world();
  const key = attribute<string>('x');
  const first = call(500);
  first.set(key, 'set');
  const answer = handle('a', first);
  assert.equal(asked[0]?.call.get(key), 'set');
  assert.equal(asked[0]?.call.child().get(key), 'set');
  assert.deepEqual(asked[0]?.call.trace, first.trace);
  assert.equal(asked[0]?.call.deadline, 500);
  asked[0]?.answer(1);
  await answer;
});

test('who has more time than who began gets a further call, with the longest deadline', async () => {
  const { clock, asked, handle, call } = world();
  const short = assert.rejects(handle('a', call(100)), { code: 'DEADLINE_EXCEEDED' });
  const long = handle('a', call(1_000));
  const longer = handle('a', call(2_000));
  await clock.advance(100);
  await short;
  assert.deepEqual(
    asked.map(({ call: { deadline } }) => deadline),
    [100, 2_000],
  );
  asked[1]?.answer('late');
  assert.deepEqual(await Promise.all([long, longer]), ['late', 'late']);
});

test('what is not to be shared, and what is too much, is asked for by each', async () => {
  const { asked, handle, call } = world({
    keyOf: (request) => (request === 'own' ? undefined : request),
    maxFlights: 1,
  });
  for (const request of ['own', 'own', 'a', 'b', 'b']) void handle(request, call());
  assert.equal(asked.length, 5);
});

test('a number that does not fit is refused by name', () => {
  assert.throws(
    () => singleFlight({ keyOf: () => 'a', maxFlights: 0 }),
    /^RangeError: maxFlights must be a whole number/,
  );
});

test('the longest deadline is that of a list sorted by hand', () => {
  const times = fc.integer({ min: 0, max: 100 });
  fc.assert(
    fc.property(times, fc.array(times), times, times, (ranUntil, deadlines, now, minRenewMs) => {
      const last = [...deadlines].sort((a, b) => a - b).at(-1);
      const expected = last !== undefined && last > ranUntil && last - now >= minRenewMs ? last : undefined;
      assert.equal(renewedUntil(ranUntil, deadlines, now, minRenewMs), expected);
    }),
  );
});

/**
 * Naive model: each caller for itself. It gets the answer if that comes before its deadline and before it is cancelled;
 * whoever else asked makes no difference.
 */
test('nobody is worse off than alone, whoever joins and leaves', async () => {
  const caller = fc.record({
    at: fc.integer({ min: 0, max: 40 }),
    timeoutMs: fc.integer({ min: 10, max: 200 }),
    cancelAfterMs: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 6 }), async (callers) => {
      const { clock, asked, handle, call } = world({ minRenewMs: 0 });
      const outcomes: Promise<unknown>[] = [];
      const begun = callers.map(({ at, timeoutMs, cancelAfterMs }, index) =>
        clock.setTimer(at, () => {
          const each = call(timeoutMs);
          outcomes[index] = handle('a', each).catch((error: FlotillaError) => error.code);
          if (cancelAfterMs !== undefined) clock.setTimer(cancelAfterMs, () => each.cancel());
        }),
      );
      assert.equal(begun.length, callers.length);
      const answerAt = 120;
      await clock.advance(answerAt);
      for (const each of asked) if (!each.call.ended) each.answer('x');
      await settle();
      for (const [index, { at, timeoutMs, cancelAfterMs = Infinity }] of callers.entries()) {
        const overMs = Math.ceil((at + timeoutMs) / 10) * 10; // the grain of deadlines
        const leftAt = at + cancelAfterMs;
        const expected =
          leftAt <= Math.min(overMs, answerAt) ? 'CANCELLED' : overMs <= answerAt ? 'DEADLINE_EXCEEDED' : 'x';
        const got = await Promise.race([outcomes[index], settle().then(() => 'nothing')]);
        if (leftAt === overMs && leftAt <= answerAt)
          assert.ok(got === 'CANCELLED' || got === 'DEADLINE_EXCEEDED', String(got));
        else assert.equal(got, expected, JSON.stringify(callers));
      }
      await clock.advance(1_000);
    }),
    { numRuns: 50 },
  );
});

test('a flight that all have left takes nobody from the next one, however late it ends', async () => {
  const { asked, handle, call } = world();
  const gone = call();
  const left = handle('a', gone);
  gone.cancel(new FlotillaError('CANCELLED', 'gone'));
  const second = handle('a', call()); // the first one's end is not heard yet
  await assert.rejects(left, { code: 'CANCELLED' });
  await settle();
  const third = handle('a', call());
  assert.equal(asked.length, 2);
  asked[1]?.answer(1);
  assert.deepEqual(await Promise.all([second, third]), [1, 1]);
});

test('a callee that throws at once has failed, and keeps nobody waiting', async () => {
  const { call } = world();
  const handle = compose([singleFlight<string, unknown>({ keyOf: (request) => request })], () => {
    throw new FlotillaError('UNAVAILABLE', 'at once');
  });
  for (let n = 0; n < 2; n++) await assert.rejects(handle('a', call()), { code: 'UNAVAILABLE' });
});
