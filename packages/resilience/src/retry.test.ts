import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, type CallOptions, FlotillaError, type Handler, idempotentAttribute, type Meter } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { type RetryOptions, retry } from './retry.ts';
import { createRetryBudget } from './retry-budget.ts';

const refused = new FlotillaError('CONNECT_FAILED', 'refused');
const broken = new FlotillaError('CONNECTION_LOST', 'reset');

interface Scene {
  readonly clock: ManualClock;
  readonly seen: Call[];
  /** Runs one request to its end, moving time as needed. */
  ask(options?: Partial<CallOptions>, idempotent?: boolean): Promise<{ call: Call; answer: string | FlotillaError }>;
}

/** A callee that plays `script`, one entry per attempt: an error is thrown, a text is answered. The last one repeats. */
function scene(script: readonly (FlotillaError | string)[], options: RetryOptions<string, string> = {}): Scene {
  const clock = new ManualClock();
  const seen: Call[] = [];
  const callee: Handler<string, string> = async (_request, call) => {
    const entry = script[Math.min(seen.length, script.length - 1)];
    seen.push(call);
    if (typeof entry !== 'string') throw entry;
    return entry;
  };
  const handler = retry(options)(callee);
  return {
    clock,
    seen,
    async ask(callOptions = {}, idempotent = false) {
      const call = new Call({ clock, random: seededRandom(3), ...callOptions });
      if (idempotent) call.set(idempotentAttribute, true);
      const answer = handler('request', call).catch((error: FlotillaError) => error);
      await clock.advance(10_000);
      return { call, answer: await answer };
    },
  };
}

test('a command that certainly was not executed is tried up to three times', async () => {
  const { ask, seen } = scene([refused]);
  const { answer, call } = await ask();
  assert.equal(answer, refused, 'the error of the last attempt, as it was thrown');
  assert.equal(seen.length, 3);
  assert.equal(call.ended, true);
  assert.ok(seen.every((attempt) => attempt.ended));
});

test('attempts that may be repeated say their number, the last one does not', async () => {
  const { ask, seen } = scene([refused]);
  const { call } = await ask({ idempotencyKey: 'order-7' }, true);
  assert.deepEqual(
    seen.map(({ attempt }) => attempt),
    [1, 2, undefined],
  );
  assert.deepEqual(
    seen.map(({ idempotencyKey }) => idempotencyKey),
    ['order-7', 'order-7', 'order-7'],
  );
  assert.equal(seen[2], call);
});

test('attempts of a command have no number: what fails further in only layers further in may repeat', async () => {
  const { ask, seen } = scene([refused]);
  await ask({ idempotencyKey: 'order-7' });
  assert.deepEqual(
    seen.map(({ attempt, idempotencyKey }) => [attempt, idempotencyKey]),
    [
      [undefined, 'order-7'],
      [undefined, 'order-7'],
      [undefined, 'order-7'],
    ],
  );
});

test('an unknown outcome is repeated only for what is idempotent', async () => {
  const command = scene([broken, 'done']);
  assert.equal((await command.ask()).answer, broken);
  assert.equal(command.seen.length, 1);
  const query = scene([broken, 'done']);
  assert.equal((await query.ask({}, true)).answer, 'done');
  assert.equal(query.seen.length, 2);
  const byMethod = scene([broken, 'done'], { idempotent: (request) => request === 'request' });
  assert.equal((await byMethod.ask()).answer, 'done');
});

test('one layer retries: inside a call that an outer layer may repeat nothing is repeated', async () => {
  const { ask, seen } = scene([refused]);
  assert.equal((await ask({ attempt: 1 })).answer, refused);
  assert.equal(seen.length, 1);
  assert.equal(seen[0]?.attempt, 1, 'the mark travels on');
});

test('two layers that would each try three times try five times in all, not nine', async () => {
  let attempts = 0;
  const clock = new ManualClock();
  const failing: Handler<string, string> = async () => {
    attempts += 1;
    throw refused;
  };
  const nested = retry<string, string>()(retry<string, string>()(failing));
  const call = new Call({ clock, random: seededRandom(1) });
  call.set(idempotentAttribute, true);
  const failed = assert.rejects(nested('x', call));
  await clock.advance(10_000);
  await failed;
  // Once in each of the two marked attempts of the outer layer; its last one is unmarked, so the inner layer has three.
  assert.equal(attempts, 5);
});

test('a request that can be sent only once is sent once', async () => {
  const { ask, seen } = scene([refused], { repeatable: () => false });
  assert.equal((await ask()).answer, refused);
  assert.equal(seen.length, 1);
  assert.equal(seen[0]?.attempt, undefined);
});

test('an answer that stands for a failure is repeated, and released', async () => {
  const discarded: string[] = [];
  const options: RetryOptions<string, string> = {
    failure: (response) => (response === '503' ? new FlotillaError('UNAVAILABLE', 'draining') : undefined),
    discard: (response) => void discarded.push(response),
  };
  const recovering = scene(['503', 'fine'], options);
  assert.equal((await recovering.ask()).answer, 'fine');
  assert.deepEqual(discarded, ['503']);
  const down = scene(['503'], options);
  assert.equal((await down.ask()).answer, '503', 'the last answer is passed on as it is');
  assert.equal(discarded.length, 3, 'and is not released');
});

test('the call ends with the last byte of the answer that is passed on', async () => {
  const { ask, seen } = scene([refused, 'stream']);
  const { call } = await ask();
  assert.equal(call.ended, false);
  seen[1]?.end(broken);
  assert.equal(call.ended, true);
  let outcome: FlotillaError | undefined;
  call.onEnd((value) => {
    outcome = value;
  });
  assert.equal(outcome, broken);
});

test('a wait that the deadline has no room for is not begun', async () => {
  const tired = new FlotillaError('UNAVAILABLE', 'draining', { retryAfterMs: 500 });
  const { ask, seen, clock } = scene([tired, 'fine']);
  assert.equal((await ask({ deadline: clock.now() + 500 })).answer, tired);
  assert.equal(seen.length, 1);
  const patient = scene([tired, 'fine']);
  assert.equal((await patient.ask({ deadline: 600 })).answer, 'fine');
  assert.ok((patient.seen[1]?.startedAt ?? 0) >= 500, 'and the callee got the time that it named');
});

test('a stream, which has no deadline, waits for no longer than timeoutMs, whatever time its callee names', async () => {
  const years = new FlotillaError('UNAVAILABLE', 'come back later', { executed: 'no', retryAfterMs: 1e18 });
  const { ask, seen, clock } = scene([years], { timeoutMs: 5_000 });
  assert.equal((await ask()).answer, years);
  assert.deepEqual([seen.length, clock.pendingTimers], [1, 0]);
  const soon = new FlotillaError('UNAVAILABLE', 'come back soon', { executed: 'no', retryAfterMs: 2_000 });
  const patient = scene([soon, soon, 'never asked'], { timeoutMs: 3_900 });
  assert.equal((await patient.ask()).answer, soon);
  assert.equal(patient.seen.length, 2, 'the second wait would go beyond timeoutMs of the call');
});

test('a caller that goes away ends the waiting', async () => {
  const clock = new ManualClock();
  const handler = retry<string, string>()(async () => {
    throw new FlotillaError('UNAVAILABLE', 'later', { retryAfterMs: 1_000 });
  });
  const call = new Call({ clock, random: seededRandom(1) });
  const failed = assert.rejects(handler('x', call), { code: 'CANCELLED' });
  await clock.advance(10);
  call.cancel();
  await failed;
  assert.equal(call.ended, true);
  assert.equal(clock.pendingTimers, 0);
});

test('a call that was cancelled is not tried again, whatever came back', async () => {
  const clock = new ManualClock();
  let attempts = 0;
  const handler = retry<string, string>()(async (_request, attempt) => {
    attempts += 1;
    attempt.parent?.cancel();
    throw refused;
  });
  await assert.rejects(handler('x', new Call({ clock, random: seededRandom(1) })), { code: 'CONNECT_FAILED' });
  assert.equal(attempts, 1);
});

test('at 100 % failure the callee sees at most 1.2 × requests + 10 per second', async () => {
  const clock = new ManualClock();
  let attempts = 0;
  const options: RetryOptions<string, string> = {
    backoffBaseMs: 0,
    budget: createRetryBudget({ fraction: 0.2, perSecond: 10, windowMs: 10_000 }),
  };
  const failing: Handler<string, string> = async () => {
    attempts += 1;
    throw refused;
  };
  const handlers = [retry(options)(failing), retry(options)(failing)]; // two clients, one budget
  const [requests, seconds] = [4_000, 2];
  const random = seededRandom(1);
  for (let batch = 0; batch < 20; batch++) {
    const calls = Array.from({ length: requests / 20 }, (_, index) =>
      handlers[index % 2]?.('x', new Call({ clock, random })).catch(() => {}),
    );
    await clock.advance((seconds * 1_000) / 20);
    await Promise.all(calls);
  }
  // One window's reserve (10/s × 10 s) may be spent at once.
  assert.ok(attempts <= 1.2 * requests + 10 * 10, `${attempts} attempts of ${requests} requests`);
  assert.ok(attempts > 1.2 * requests, `${attempts}: the budget is used`);
});

test('retries are counted by what became of them', async () => {
  const counts = new Map<string, number>();
  const meter: Meter = {
    counter: ({ name }) => ({
      with: ({ target, result }) => ({
        add: () => void counts.set(`${name} ${target} ${result}`, (counts.get(`${name} ${target} ${result}`) ?? 0) + 1),
      }),
    }),
    gauge: () => assert.fail('no gauges here'),
    histogram: () => assert.fail('no histograms here'),
  };
  const options = { meter, target: 'orders', retryBudgetPerSecond: 0.1, retryBudgetFraction: 0 };
  await scene([refused], options).ask();
  assert.deepEqual(Object.fromEntries(counts), {
    'flotilla_retries_total orders repeated': 1,
    'flotilla_retries_total orders over_budget': 1,
  });
});

test('an attempt that ran out of time is repeated only where a tenth of that time is left', async () => {
  const late = new FlotillaError('DEADLINE_EXCEEDED', 'late');
  for (const [deadline, attempts] of [
    [1_090, 1],
    [1_500, 2],
  ] as const) {
    const clock = new ManualClock();
    let seen = 0;
    const callee: Handler<string, string> = (_request, call) => {
      seen += 1;
      return new Promise((resolve, reject) =>
        seen === 1 ? call.clock.setTimer(1_000, () => reject(late)) : resolve('in time'),
      );
    };
    const call = new Call({ clock, random: () => 0, deadline });
    call.set(idempotentAttribute, true);
    const answer = retry<string, string>()(callee)('request', call).catch((error: FlotillaError) => error);
    await clock.advance(1_050);
    assert.deepEqual([await answer, seen], [attempts === 1 ? late : 'in time', attempts]);
  }
});

test('a refused attempt does not undo one whose outcome is unknown: nobody is told that nothing was done', async () => {
  for (const script of [
    [broken, refused],
    [broken, refused, refused],
    [refused, broken, refused],
  ]) {
    const { ask, seen } = scene(script, { retries: script.length - 1 });
    const { answer, call } = await ask({}, true);
    assert.equal(answer, broken);
    assert.equal(seen.length, script.length);
    call.onEnd((outcome) => assert.equal(outcome?.executed, 'unknown'));
  }
  const none = createRetryBudget({ fraction: 0, perSecond: 0.1, windowMs: 10_000 });
  const { ask, seen } = scene([broken, refused], { budget: none });
  assert.equal((await ask({}, true)).answer, broken, 'the budget is used up after the first retry');
  assert.equal(seen.length, 2);
});
