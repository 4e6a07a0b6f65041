import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, emptyBaggage, type FlotillaError, tenantKey } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { rateLimitDefaults } from './client-policies.ts';
import { paceOf, takeToken } from './gcra.ts';
import { LocalRateLimiter, rateLimit } from './rate-limit.ts';

test('one number agrees with a bucket of tokens', () => {
  const pace = fc.record({ ratePerSecond: fc.constantFrom(1, 5, 10, 100), burst: fc.integer({ min: 0, max: 20 }) });
  const steps = fc.array(
    fc.record({ afterMs: fc.integer({ min: 0, max: 1_500 }), maxWaitMs: fc.constantFrom(0, 0, 40, 900) }),
    {
      maxLength: 150,
    },
  );
  fc.assert(
    fc.property(pace, steps, fc.integer({ min: 0, max: 1e9 }), (given, calls, startAt) => {
      const { intervalMs, burst } = paceOf(given);
      let fullAt = 0;
      let now = startAt;
      let tokens = burst;
      for (const { afterMs, maxWaitMs } of calls) {
        now += afterMs;
        tokens = Math.min(burst, tokens + afterMs / intervalMs);
        const verdict = takeToken(fullAt, now, { intervalMs, burst }, maxWaitMs);
        fullAt = verdict.fullAt;
        const waitMs = Math.max(0, (1 - tokens) * intervalMs); // tokens may be owed: then it is below 0
        assert.equal(verdict.allowed, waitMs <= maxWaitMs + 1e-3, `${waitMs} against ${maxWaitMs}`);
        if (verdict.allowed) tokens -= 1;
        assert.ok(Math.abs(verdict.waitMs - waitMs) < 1e-2, `${verdict.waitMs} is not ${waitMs}`);
      }
    }),
  );
});

test('a burst of 0 is what one second allows, at least one', () => {
  assert.equal(paceOf({ ratePerSecond: 50, burst: 0 }).burst, 50);
  assert.equal(paceOf({ ratePerSecond: 0.1, burst: 0 }).burst, 1);
  assert.equal(paceOf({ ratePerSecond: 50, burst: 3 }).burst, 3);
});

function stage(given: Partial<typeof rateLimitDefaults>) {
  const clock = new ManualClock({ startMs: 1_000 });
  const handle = rateLimit<string, string>({
    settings: { ...rateLimitDefaults, ratePerSecond: 10, burst: 2, ...given },
    target: 'orders',
    operation: 'orders.get',
    limiter: new LocalRateLimiter(),
  })(async (request) => request);
  const ask = (tenant?: string, timeoutMs?: number): Promise<string> =>
    handle(
      'x',
      new Call({
        clock,
        random: seededRandom(1),
        ...(timeoutMs === undefined ? {} : { deadline: clock.now() + timeoutMs }),
        baggage: tenant === undefined ? emptyBaggage : new Map([[tenantKey, tenant]]),
      }),
    );
  return { clock, ask };
}

test('who comes too often is told when to come again, and certainly was not executed', async () => {
  const { clock, ask } = stage({});
  await ask();
  await ask();
  await assert.rejects(ask(), (error: FlotillaError) => {
    assert.equal(error.code, 'RATE_LIMITED');
    assert.equal(error.executed, 'no');
    assert.equal(error.retryAfterMs, 100);
    assert.match(error.detail, /"orders" takes 10 calls a second/);
    return true;
  });
  await clock.advance(100);
  assert.equal(await ask(), 'x');
});

test('a call that may wait goes when it is its turn, but not beyond its deadline', async () => {
  const { clock, ask } = stage({ maxWaitMs: 1_000 });
  await ask();
  await ask();
  let went = false;
  const waiting = ask().then(() => {
    went = true;
  });
  await clock.advance(99);
  assert.equal(went, false);
  await clock.advance(1);
  await waiting;
  await assert.rejects(ask(undefined, 50), { code: 'RATE_LIMITED' });
});

test('tenants have rates of their own, and as many as there may be do not fill the memory', async () => {
  const { ask } = stage({ per: 'tenant' });
  await ask('a');
  await ask('a');
  await assert.rejects(ask('a'), { code: 'RATE_LIMITED' });
  assert.equal(await ask('b'), 'x');
  for (let index = 0; index < 10_001; index++) await ask(`tenant-${index}`);
  assert.equal(await ask('a'), 'x', 'forgotten, as the one that was asked longest ago');
});

test('a limiter that shares its counters may answer later', async () => {
  const clock = new ManualClock();
  const handle = rateLimit<string, string>({
    settings: { ...rateLimitDefaults, ratePerSecond: 10 },
    target: 'orders',
    operation: 'orders.get',
    limiter: { take: async () => ({ allowed: false, waitMs: 7 }) },
  })(async (request) => request);
  await assert.rejects(handle('x', new Call({ clock, random: seededRandom(1) })), {
    code: 'RATE_LIMITED',
    retryAfterMs: 7,
  });
});
