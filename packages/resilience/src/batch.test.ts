import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, compose, FlotillaError, type Handler } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import fc from 'fast-check';
import { type BatchOptions, batch, batchDefaults } from './batch.ts';
import type { PolicyEvent } from './events.ts';

type Request = number | readonly number[];
type Response = string | readonly string[];

/** Answers a number with its text, and a list with a list; 404 is not found. */
function world(options: Partial<BatchOptions<Request, Response>> = {}) {
  const clock = new ManualClock();
  const asked: { request: Request; call: Call }[] = [];
  const told: PolicyEvent[] = [];
  let answer: Handler<Request, Response> = async (request) =>
    typeof request === 'number' ? `one ${request}` : request.map((each) => `of many ${each}`);
  const callee: Handler<Request, Response> = (request, call) => {
    asked.push({ request, call });
    return answer(request, call).then(
      (response) => {
        call.end();
        return response;
      },
      (error: FlotillaError) => {
        call.end(error);
        throw error;
      },
    );
  };
  const filter = batch<Request, Response>({
    groupOf: () => '',
    join: (requests) => requests as readonly number[],
    split: (response) =>
      (response as readonly string[]).map((value) =>
        value === 'of many 404' ? { error: new FlotillaError('NOT_FOUND', value) } : { value },
      ),
    events: { report: (event) => void told.push(event) },
    ...options,
  });
  const handle = compose([filter], callee);
  const newCall = (timeoutMs = Infinity): Call =>
    new Call({ clock, random: seededRandom(1), deadline: clock.now() + timeoutMs });
  return {
    clock,
    asked,
    told,
    newCall,
    requests: () => asked.map(({ request }) => request),
    ask: (request: number, call = newCall()) => handle(request, call),
    answers(next: Handler<Request, Response>) {
      answer = next;
    },
  };
}

test('the defaults are these', () => {
  assert.deepEqual(batchDefaults, { enabled: true, max: 100, windowMs: 2 });
});

test('calls of one window are one call; each gets its own answer or error', async () => {
  const { ask, clock, requests, told, newCall } = world();
  const calls = [newCall(), newCall(), newCall()];
  const answers = Promise.allSettled([ask(1, calls[0]), ask(404, calls[1]), ask(3, calls[2])]);
  await clock.advance(1);
  assert.deepEqual(requests(), []);
  await clock.advance(1);
  assert.deepEqual(requests(), [[1, 404, 3]]);
  const [one, none, three] = await answers;
  assert.deepEqual(
    [one, three].map((each) => each?.status === 'fulfilled' && each.value),
    ['of many 1', 'of many 3'],
  );
  assert.equal(none?.status === 'rejected' && none.reason.code, 'NOT_FOUND');
  assert.ok(calls.every(({ ended }) => ended));
  assert.deepEqual(
    told.map(({ kind, numbers }) => [kind, numbers]),
    [['sent', { calls: 3 }]],
  );
  assert.equal(clock.pendingTimers, 0);
});

test('the one that fills a batch sends it, and the next begins another', async () => {
  const { ask, clock, requests } = world({ max: 2 });
  const answers = [1, 2, 3].map((request) => ask(request));
  assert.deepEqual(await Promise.all(answers.slice(0, 2)), ['of many 1', 'of many 2']);
  await clock.advance(2);
  assert.equal(await answers[2], 'one 3');
  assert.deepEqual(requests(), [[1, 2], 3]);
});

test('a call that is alone, that has no time, or that goes alone, goes as it is', async () => {
  const { ask, clock, requests, newCall } = world({ groupOf: (request) => (request === 9 ? undefined : '') });
  void ask(9);
  void ask(8, newCall(2));
  assert.deepEqual(requests(), [9, 8]);
  const alone = ask(1);
  await clock.advance(2);
  assert.equal(await alone, 'one 1');
});

test('groups are apart', async () => {
  const { ask, clock, requests } = world({ groupOf: (request) => String((request as number) % 2) });
  const answers = [1, 2, 3, 4].map((request) => ask(request));
  await clock.advance(2);
  await Promise.all(answers);
  assert.deepEqual(requests(), [
    [1, 3],
    [2, 4],
  ]);
});

test('who leaves before is not asked for, who leaves after takes nobody along; all leaving cancels', async () => {
  const { ask, clock, asked, newCall, answers } = world();
  answers((_, call) => new Promise((_resolve, reject) => void call.onCancel(reject)));
  const calls = [newCall(), newCall(), newCall()];
  const outcomes = calls.map((call, index) => ask(index, call).catch((error: FlotillaError) => error.code));
  calls[0]?.cancel();
  await clock.advance(2);
  assert.deepEqual(asked[0]?.request, [1, 2]);
  calls[1]?.cancel();
  assert.deepEqual([asked[0]?.call.cancelled], [undefined]);
  calls[2]?.cancel();
  assert.equal(asked[0]?.call.cancelled?.code, 'CANCELLED');
  assert.deepEqual(await Promise.all(outcomes), ['CANCELLED', 'CANCELLED', 'CANCELLED']);
});

test('nobody waits longer than its own deadline; the batch has the longest', async () => {
  const { ask, clock, asked, newCall, answers } = world();
  let release = (): void => {};
  answers(
    () =>
      new Promise((resolve) => {
        release = () => resolve(['a', 'b']);
      }),
  );
  const short = assert.rejects(ask(1, newCall(50)), { code: 'DEADLINE_EXCEEDED' });
  const long = ask(2, newCall(500));
  await clock.advance(2);
  assert.equal(asked[0]?.call.deadline, 500);
  await clock.advance(48);
  await short;
  release();
  assert.equal(await long, 'b');
});

test('when the batch fails all get its error', async () => {
  const { ask, clock, told, answers } = world();
  answers(() => Promise.reject(new FlotillaError('UNAVAILABLE', 'down')));
  const failed = [1, 2].map((request) => assert.rejects(ask(request), { code: 'UNAVAILABLE' }));
  await clock.advance(2);
  await Promise.all(failed);
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['sent', 'failed'],
  );
});

test('an answer with too few items is a bad one, and says how many', async () => {
  const { ask, clock, answers } = world();
  answers(() => Promise.resolve(['just one']));
  const failed = [1, 2].map((request) =>
    assert.rejects(ask(request), { code: 'BAD_RESPONSE', message: /a batch of 2 calls was answered with 1 items/ }),
  );
  await clock.advance(2);
  await Promise.all(failed);
});

test('a mistake in what joins or splits fails the callers, and nothing else', async () => {
  for (const broken of ['join', 'split'] as const) {
    const { ask, clock } = world({
      [broken]: () => {
        throw new TypeError('oops');
      },
    });
    const failed = [1, 2].map((request) => assert.rejects(ask(request), { code: 'INTERNAL' }));
    await clock.advance(2);
    await Promise.all(failed);
  }
});

/** Naive model: walk the arrivals; a batch takes what comes until its window is over or it is full. */
function naiveBatches(arrivals: readonly number[], max: number, windowMs: number): number[][] {
  const batches: number[][] = [];
  let closesAt = -1;
  for (const [index, at] of arrivals.entries()) {
    const open = batches.at(-1);
    if (open && at < closesAt && open.length < max) open.push(index);
    else {
      batches.push([index]);
      closesAt = at + windowMs;
    }
  }
  return batches;
}

test('batches are those of the naive model, and everybody is answered with its own', async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      gaps,
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 1, max: 8 }),
      async (given, max, windowMs) => {
        const { ask, clock, requests } = world({ max, windowMs });
        const answers: Promise<Response>[] = [];
        const arrivals: number[] = [];
        for (const gap of given) {
          await clock.advance(gap);
          arrivals.push(clock.now());
          answers.push(ask(answers.length));
        }
        await clock.advance(windowMs);
        await settle();
        const expected = naiveBatches(arrivals, max, windowMs);
        assert.deepEqual(
          requests().map((request) => (typeof request === 'number' ? [request] : request)),
          expected,
        );
        for (const [index, answer] of (await Promise.all(answers)).entries())
          assert.match(String(answer), new RegExp(` ${index}$`));
      },
    ),
    { numRuns: 40 },
  );
});

test('a callee that throws at once, when a call goes alone, has failed', async () => {
  const { clock, ask, answers } = world();
  answers(() => {
    throw new FlotillaError('UNAVAILABLE', 'at once');
  });
  const alone = ask(1);
  const failed = assert.rejects(alone, { code: 'UNAVAILABLE' });
  await clock.advance(2); // its timer does not throw
  await failed;
});
