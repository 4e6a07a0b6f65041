import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, compose, FlotillaError, type Handler, idempotentAttribute, raceAttribute } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import type { PolicyEvent } from './events.ts';
import { type HedgeOptions, hedge, hedgeDefaults } from './hedge.ts';
import { retry } from './retry.ts';

interface Attempt {
  readonly call: Call;
  answer(value: string): void;
  fail(error: FlotillaError): void;
}

/** A callee whose answers the test gives, and whose usual latency is 10 ms. */
async function world(options: HedgeOptions<string, string> = {}) {
  const clock = new ManualClock();
  const attempts: Attempt[] = [];
  const told: PolicyEvent[] = [];
  const callee: Handler<string, string> = (_, call) =>
    new Promise((resolve, reject) => {
      const fail = (error: FlotillaError): void => {
        call.end(error);
        reject(error);
      };
      const answer = (value: string): void => {
        call.end();
        resolve(value);
      };
      attempts.push({ call, answer, fail });
      call.onCancel(fail);
    });
  const filter = hedge<string, string>({
    minSamples: 1,
    budgetFraction: 1,
    target: 'orders',
    events: { report: (event) => void told.push(event) },
    ...options,
  });
  const handle = compose([filter], callee);
  const newCall = (idempotent = true): Call => {
    const call = new Call({ clock, random: seededRandom(1) });
    call.set(idempotentAttribute, idempotent);
    return call;
  };
  const usual = handle('x', newCall());
  await clock.advance(10);
  attempts[0]?.answer('usual');
  await usual;
  await clock.advance(1_000);
  attempts.length = 0;
  return { clock, attempts, handle, newCall, kinds: () => told.map(({ kind }) => kind) };
}

test('the defaults are these', () => {
  assert.deepEqual(hedgeDefaults, {
    enabled: false,
    quantile: 0.95,
    minDelayMs: 1,
    minSamples: 50,
    windowMs: 30_000,
    budgetFraction: 0.1,
    budgetPerSecond: 0,
  });
});

test('a slow first attempt is followed by a second one elsewhere; the loser is cancelled', async () => {
  const { clock, attempts, handle, newCall, kinds } = await world();
  const call = newCall();
  const answer = handle('x', call);
  await clock.advance(9);
  assert.equal(attempts.length, 1);
  await clock.advance(2);
  assert.deepEqual(
    attempts.map(({ call: leg }) => [leg.attempt, leg.get(raceAttribute)]),
    [
      [1, 'first'],
      [2, 'second'],
    ],
  );
  attempts[1]?.answer('from the second');
  assert.equal(await answer, 'from the second');
  assert.equal(attempts[0]?.call.cancelled?.detail, 'another attempt answered first');
  assert.equal(call.ended, true);
  assert.deepEqual(kinds(), ['sent', 'won']);
  assert.equal(clock.pendingTimers, 0);
});

test('the first may still win', async () => {
  const { clock, attempts, handle, newCall, kinds } = await world();
  const answer = handle('x', newCall());
  await clock.advance(11);
  attempts[0]?.answer('first');
  assert.equal(await answer, 'first');
  assert.equal(attempts[1]?.call.cancelled?.code, 'CANCELLED');
  assert.deepEqual(kinds(), ['sent']);
});

test('what ignores its cancellation is released', async () => {
  const clock = new ManualClock();
  const pending: ((value: string) => void)[] = [];
  const discarded: string[] = [];
  const filter = hedge<string, string>({
    minSamples: 1,
    budgetFraction: 1,
    discard: (value) => void discarded.push(value),
  });
  const handle = compose([filter], () => new Promise<string>((resolve) => void pending.push(resolve)));
  const newCall = () => {
    const call = new Call({ clock, random: seededRandom(1) });
    call.set(idempotentAttribute, true);
    return call;
  };
  const usual = handle('x', newCall());
  pending.shift()?.('usual');
  await usual;
  await clock.advance(1_000);
  const answer = handle('x', newCall());
  await clock.advance(5);
  assert.equal(pending.length, 2);
  pending[1]?.('second');
  assert.equal(await answer, 'second');
  pending[0]?.('late');
  await clock.advance(1);
  assert.deepEqual(discarded, ['late']);
});

test('what may not be done twice is not hedged, nor what another process repeats', async () => {
  const { clock, attempts, handle, newCall } = await world();
  void handle('x', newCall(false));
  const repeated = new Call({ clock, random: seededRandom(1), attempt: 1 });
  repeated.set(idempotentAttribute, true);
  void handle('x', repeated);
  await clock.advance(1_000);
  assert.equal(attempts.length, 2);
});

test('without samples enough nothing is hedged', async () => {
  const { clock, attempts, handle, newCall } = await world({ minSamples: 2 });
  void handle('x', newCall());
  await clock.advance(1_000);
  assert.equal(attempts.length, 1);
});

test('each operation has a latency of its own', async () => {
  const { clock, attempts, handle, newCall } = await world({ operationOf: (request) => request });
  void handle('another', newCall());
  void handle('x', newCall());
  await clock.advance(20);
  assert.equal(attempts.length, 3);
});

test('the budget bounds second attempts', async () => {
  const { clock, attempts, handle, newCall, kinds } = await world({ budgetFraction: 0.1 });
  for (let index = 0; index < 20; index++) void handle('x', newCall());
  await clock.advance(20);
  assert.equal(attempts.length, 22);
  assert.equal(kinds().filter((kind) => kind === 'over_budget').length, 18);
});

test('a failure before the delay is over is thrown at once', async () => {
  const { clock, attempts, handle, newCall } = await world();
  const answer = assert.rejects(handle('x', newCall()), { code: 'UNAVAILABLE' });
  attempts[0]?.fail(new FlotillaError('UNAVAILABLE', 'no'));
  await answer;
  await clock.advance(100);
  assert.equal(attempts.length, 1);
});

test('one failure leaves the other its chance; of two the one that admits more work is thrown', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ] as const) {
    const { clock, attempts, handle, newCall } = await world();
    const saved = handle('x', newCall());
    await clock.advance(11);
    attempts[order[0]]?.fail(new FlotillaError('CONNECTION_LOST', 'gone'));
    attempts[order[1]]?.answer('saved');
    assert.equal(await saved, 'saved');
  }
  const { clock, attempts, handle, newCall } = await world();
  const both = assert.rejects(handle('x', newCall()), { code: 'CONNECTION_LOST', executed: 'unknown' });
  await clock.advance(11);
  attempts[1]?.fail(new FlotillaError('CONNECTION_LOST', 'gone'));
  attempts[0]?.fail(new FlotillaError('UNAVAILABLE', 'no'));
  await both;
});

test('a call that is cancelled cancels both, and no second one begins after it', async () => {
  const { clock, attempts, handle, newCall } = await world();
  const [early, late] = [newCall(), newCall()];
  const first = assert.rejects(handle('x', early), { code: 'CANCELLED' });
  early.cancel();
  await first;
  const second = assert.rejects(handle('x', late), { code: 'CANCELLED' });
  await clock.advance(11);
  late.cancel();
  await second;
  assert.equal(attempts.length, 3);
  assert.ok(attempts.every(({ call }) => call.ended));
});

test('below a retry it still hedges: the mark is of this process', async () => {
  const { clock, attempts, handle, newCall } = await world();
  const answer = compose([retry<string, string>()], handle)('x', newCall());
  await clock.advance(11);
  assert.equal(attempts.length, 2);
  attempts[1]?.answer('x');
  assert.equal(await answer, 'x');
});

/** Naive model: the winner is whoever answers first, the second starting at the delay; no answer comes twice. */
test('the answer is that of the earliest end, for all latencies', async () => {
  const latency = fc.integer({ min: 1, max: 60 });
  await fc.assert(
    fc.asyncProperty(latency, latency, async (firstMs, secondMs) => {
      const { clock, attempts, handle, newCall } = await world();
      const startedAt = clock.now();
      const call = newCall();
      let endedAt = Infinity;
      const answer = handle('x', call).then((value) => {
        endedAt = clock.now() - startedAt;
        return value;
      });
      clock.setTimer(firstMs, () => attempts[0]?.answer('first'));
      clock.setTimer(11 + secondMs, () => attempts[1]?.answer('second')); // the p95 of 10 ms, rounded up
      await clock.advance(100);
      const hedgedAt = 11;
      const secondAt = firstMs <= hedgedAt ? Infinity : hedgedAt + secondMs;
      assert.equal(await answer, firstMs <= secondAt ? 'first' : 'second');
      assert.equal(endedAt, Math.min(firstMs, secondAt));
      assert.equal(call.ended, true);
    }),
    { numRuns: 30 },
  );
});

test('a second attempt that throws at once has failed, and leaves the first its chance', async () => {
  const clock = new ManualClock();
  const answers: PromiseWithResolvers<string>[] = [];
  const callee: Handler<string, string> = () => {
    if (answers.length === 2) throw new FlotillaError('NO_INSTANCE', 'nobody else is there');
    const answer = Promise.withResolvers<string>();
    answers.push(answer);
    return answer.promise;
  };
  const handle = compose([hedge<string, string>({ minSamples: 1, budgetFraction: 1, idempotent: () => true })], callee);
  const newCall = (): Call => new Call({ clock, random: seededRandom(1) });
  const usual = handle('x', newCall());
  await clock.advance(10);
  answers[0]?.resolve('usual');
  await usual;
  await clock.advance(1_000);
  const slow = handle('x', newCall());
  await clock.advance(20); // its timer does not throw
  answers[1]?.resolve('first');
  assert.equal(await slow, 'first');
  assert.equal(answers.length, 2);
});
