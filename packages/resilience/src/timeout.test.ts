import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, type FlotillaError, type Handler, type Outcome } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { attemptTimeout } from './attempt-timeout.ts';
import { timeout } from './timeout.ts';

function newCall(clock: ManualClock, deadline = Infinity): Call {
  return new Call({ clock, random: seededRandom(1), deadline });
}

const never: Handler<string, string> = () => new Promise(() => {});

test('the whole call fails when its time is over, even if nothing inside listens', async () => {
  const clock = new ManualClock();
  const call = newCall(clock);
  let outcome: Outcome;
  call.onEnd((value) => {
    outcome = value;
  });
  const answer = timeout<string, string>({ timeoutMs: 100 })(never)('x', call);
  const failed = assert.rejects(answer, (error: FlotillaError) => {
    assert.equal(error.code, 'DEADLINE_EXCEEDED');
    assert.match(error.message, /no answer within 100 ms; see timeoutMs/);
    return true;
  });
  await clock.advance(100);
  await failed;
  assert.equal(outcome?.code, 'DEADLINE_EXCEEDED');
  assert.equal(call.cancelled, undefined, 'the caller may still use its own call');
});

test('a sooner deadline of the caller stays, and is not blamed on timeoutMs', async () => {
  const clock = new ManualClock();
  const answer = timeout<string, string>({ timeoutMs: 100 })(never)('x', newCall(clock, 50));
  const failed = assert.rejects(answer, (error: FlotillaError) => {
    assert.equal(error.detail, 'no answer within 50 ms');
    return true;
  });
  await clock.advance(50);
  await failed;
});

test('the inner call carries deadline, attempt, key and span of the outer one', async () => {
  const clock = new ManualClock();
  const call = new Call({ clock, random: seededRandom(1), attempt: 2, idempotencyKey: 'k', urgency: 5 });
  let seen: Call | undefined;
  await timeout<string, string>({ timeoutMs: 100 })(async (request, inner) => {
    seen = inner;
    return request;
  })('x', call);
  assert.ok(seen);
  assert.equal(seen.deadline, 100);
  assert.equal(seen.attempt, 2);
  assert.equal(seen.idempotencyKey, 'k');
  assert.equal(seen.urgency, 5);
  assert.equal(seen.trace, call.trace);
});

test('the call ends when the answer does, and its time runs until then', async () => {
  const clock = new ManualClock();
  const call = newCall(clock);
  let inner: Call | undefined;
  await timeout<string, string>({ timeoutMs: 100 })(async (request, given) => {
    inner = given;
    return request;
  })('x', call);
  assert.equal(call.ended, false, 'the stream of the answer still runs');
  inner?.end();
  assert.equal(call.ended, true);

  const slow = newCall(clock);
  await timeout<string, string>({ timeoutMs: 100 })(async (request, given) => {
    inner = given;
    return request;
  })('x', slow);
  await clock.advance(100);
  assert.equal(inner?.cancelled?.code, 'DEADLINE_EXCEEDED', 'a stream that outlasts the call is cancelled');
});

test('an owner that ends the call releases the inner one', async () => {
  const clock = new ManualClock();
  const call = newCall(clock);
  let inner: Call | undefined;
  await timeout<string, string>({ timeoutMs: 100 })(async (request, given) => {
    inner = given;
    return request;
  })('x', call);
  call.end();
  assert.equal(inner?.ended, true);
});

test('a call with too little time left is not started', async () => {
  const clock = new ManualClock();
  const call = newCall(clock, 4);
  let started = false;
  const handler = timeout<string, string>({ timeoutMs: 100 })(async (request) => {
    started = true;
    return request;
  });
  await assert.rejects(handler('x', call), (error: FlotillaError) => {
    assert.equal(error.code, 'DEADLINE_EXCEEDED');
    assert.equal(error.executed, 'no');
    assert.match(error.detail, /4 ms are left until the deadline, minRemainingMs is 5/);
    return true;
  });
  assert.equal(started, false);
  assert.equal(call.ended, true);
});

test('an attempt that does not begin to answer is cancelled, its call is not', async () => {
  const clock = new ManualClock();
  const call = newCall(clock, 1_000);
  let inner: Call | undefined;
  const answer = attemptTimeout<string, string>({ attemptTimeoutMs: 100 })((_request, given) => {
    inner = given;
    return new Promise(() => {});
  })('x', call);
  const failed = assert.rejects(answer, (error: FlotillaError) => {
    assert.match(error.message, /DEADLINE_EXCEEDED: the attempt had no answer within 100 ms; see attemptTimeoutMs/);
    return true;
  });
  await clock.advance(100);
  await failed;
  assert.equal(inner?.cancelled?.code, 'DEADLINE_EXCEEDED');
  assert.equal(call.cancelled, undefined);
});

test('an attempt whose answer has begun may go on for as long as the call', async () => {
  const clock = new ManualClock();
  const call = newCall(clock, 1_000);
  let inner: Call | undefined;
  await attemptTimeout<string, string>({ attemptTimeoutMs: 100 })(async (request, given) => {
    inner = given;
    return request;
  })('x', call);
  const cancelledBy = (): string | undefined => inner?.cancelled?.code;
  await clock.advance(900);
  assert.equal(cancelledBy(), undefined);
  assert.equal(inner?.deadline, 1_000, 'the callee is told the deadline of the call');
  await clock.advance(100);
  assert.equal(cancelledBy(), 'DEADLINE_EXCEEDED', 'which bounds the stream too');
});

test('an attempt bound that is later than the deadline costs nothing', async () => {
  const clock = new ManualClock();
  const call = newCall(clock, 50);
  let inner: Call | undefined;
  await attemptTimeout<string, string>({ attemptTimeoutMs: 100 })(async (request, given) => {
    inner = given;
    return request;
  })('x', call);
  assert.equal(inner, call);
});
