import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, FlotillaError, type Handler } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { Breaker, breaker } from './breaker.ts';
import { admitCall, afterCall, afterRenewal, type BreakerState, closedBreaker } from './breaker-state.ts';
import { type BreakerSettings, breakerDefaults } from './client-policies.ts';
import type { PolicyEvent } from './events.ts';
import type { CallJudgement } from './judge-call.ts';

const settings: BreakerSettings = {
  ...breakerDefaults,
  window: 'calls',
  windowCalls: 10,
  minCalls: 4,
  openMs: 1_000,
  maxOpenMs: 4_000,
  trialCalls: 2,
  trialMs: 5_000,
};

/** The same rule as a list of all that ever happened; nothing is forgotten, everything is counted anew. */
class NaiveBreaker {
  readonly #settings: BreakerSettings;
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #since = 0;
  #times = 0;
  #out = 0;
  #renewed = false;
  #seen: { readonly at: number; readonly failed: boolean; readonly slow: boolean }[] = [];

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
  }

  get state(): string {
    return this.#state;
  }

  admit(now: number): boolean {
    const { openMs, maxOpenMs, trialMs, trialCalls } = this.#settings;
    if (this.#state === 'closed') return true;
    if (this.#state === 'open') {
      if (!this.#renewed && now < this.#since + Math.min(maxOpenMs, openMs * 2 ** (this.#times - 1))) return false;
      this.#go('half-open', now);
      this.#out = 1;
      return true;
    }
    if (now >= this.#since + trialMs) {
      this.#times += 1;
      this.#go('open', now);
      return false;
    }
    if (this.#out >= trialCalls) return false;
    this.#out += 1;
    return true;
  }

  end(judgement: CallJudgement, slow: boolean, now: number): void {
    const { window, windowCalls, windowMs, minCalls, trialCalls, failureFraction, slowFraction } = this.#settings;
    if (this.#state === 'open') return;
    if (judgement === 'ignore') {
      if (this.#state === 'half-open') this.#out = Math.max(0, this.#out - 1);
      return;
    }
    this.#seen.push({ at: now, failed: judgement === 'failure', slow });
    const slot = (at: number) => Math.floor(at / (windowMs / 10));
    const counted =
      this.#state === 'half-open'
        ? this.#seen
        : window === 'calls'
          ? this.#seen.slice(-windowCalls)
          : this.#seen.filter(({ at }) => slot(at) > slot(now) - 10);
    const of = this.#state === 'half-open' ? trialCalls : counted.length;
    const enough =
      this.#state === 'half-open' ||
      counted.length >= (window === 'calls' ? Math.min(minCalls, windowCalls) : minCalls);
    const broken =
      counted.filter(({ failed }) => failed).length >= of * failureFraction ||
      counted.filter((each) => each.slow).length >= of * slowFraction;
    if (enough && broken) {
      this.#times = this.#state === 'closed' ? 1 : this.#times + 1;
      this.#go('open', now);
    } else if (this.#state === 'half-open' && counted.length >= trialCalls) this.#go('closed', now);
  }

  renew(): void {
    if (this.#state === 'open') this.#renewed = true;
    if (this.#state === 'closed') this.#seen = [];
  }

  #go(state: 'closed' | 'open' | 'half-open', now: number): void {
    this.#state = state;
    this.#since = now;
    this.#seen = [];
    this.#out = 0;
    this.#renewed = false;
  }
}

test('the breaker agrees with the list of everything, for both kinds of window', () => {
  const arbitrarySettings = fc.record({
    window: fc.constantFrom('calls' as const, 'time' as const),
    windowCalls: fc.integer({ min: 1, max: 12 }),
    windowMs: fc.constantFrom(1_000, 3_000),
    minCalls: fc.integer({ min: 1, max: 8 }),
    failureFraction: fc.constantFrom(0.25, 0.5, 1),
    slowFraction: fc.constantFrom(0.5, 1),
    trialCalls: fc.integer({ min: 1, max: 4 }),
  });
  const step = fc.record({
    kind: fc.constantFrom('admit', 'admit', 'success', 'failure', 'failure', 'failure', 'ignore', 'renew'),
    slow: fc.boolean(),
    afterMs: fc.constantFrom(0, 1, 90, 450, 1_000, 5_000),
  });
  fc.assert(
    fc.property(arbitrarySettings, fc.array(step, { maxLength: 120 }), (given, steps) => {
      const all: BreakerSettings = { ...settings, ...given };
      let ours: BreakerState = closedBreaker(all);
      const naive = new NaiveBreaker(all);
      let now = 0;
      for (const { kind, slow, afterMs } of steps) {
        now += afterMs;
        if (kind === 'admit') {
          const admission = admitCall(ours, now, all);
          ours = admission.state;
          assert.equal(admission.refusedForMs <= 0, naive.admit(now));
        } else if (kind === 'renew') {
          ours = afterRenewal(ours, all);
          naive.renew();
        } else {
          ours = afterCall(ours, { judgement: kind as CallJudgement, slow }, now, all);
          naive.end(kind as CallJudgement, slow, now);
        }
        assert.equal(ours.state, naive.state);
      }
    }),
    { numRuns: 500 },
  );
});

const lost = new FlotillaError('CONNECTION_LOST', 'gone');

function stage(given: Partial<BreakerSettings> = {}) {
  const clock = new ManualClock();
  const events: PolicyEvent[] = [];
  const guard = new Breaker({
    settings: { ...settings, ...given },
    target: 'orders',
    operation: 'orders.get',
    events: { report: (event) => events.push(event) },
  });
  let asked = 0;
  let answer: () => FlotillaError | undefined = () => undefined;
  const innermost: Handler<string, string> = async (request, call) => {
    asked += 1;
    const error = answer();
    call.end(error);
    if (error) throw error;
    return request;
  };
  const handle = breaker<string, string>({ breaker: guard })(innermost);
  const ask = (): Promise<string> => handle('x', new Call({ clock, random: seededRandom(1) }));
  return {
    clock,
    events,
    guard,
    ask,
    asked: () => asked,
    fail: (error: FlotillaError | undefined) => {
      answer = () => error;
    },
  };
}

test('it opens after enough failures, refuses at once with the time that is left, tries, and closes', async () => {
  const { clock, events, guard, ask, asked, fail } = stage();
  fail(lost);
  for (let index = 0; index < 4; index++) await assert.rejects(ask(), { code: 'CONNECTION_LOST' });
  await clock.advance(400);
  await assert.rejects(ask(), (error: FlotillaError) => {
    assert.equal(error.code, 'UNAVAILABLE');
    assert.equal(error.executed, 'no');
    assert.equal(error.retryAfterMs, 600);
    assert.match(error.detail, /the breaker of orders\.get of "orders" is open/);
    return true;
  });
  assert.equal(asked(), 4, 'the refused call went nowhere');
  await clock.advance(600);
  fail(undefined);
  await ask();
  assert.equal(guard.state.state, 'half-open');
  await ask();
  assert.equal(guard.state.state, 'closed');
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['opened', 'refused', 'tried', 'closed'],
  );
  assert.deepEqual(events[0]?.numbers, { calls: 4, failed: 4, slow: 0 }, 'the numbers that decided');
});

test('each trial that fails doubles the time, up to its bound', async () => {
  const { clock, events, ask, fail } = stage({ trialCalls: 1 });
  fail(lost);
  for (let index = 0; index < 4; index++) await assert.rejects(ask());
  for (const openMs of [1_000, 2_000, 4_000, 4_000]) {
    await clock.advance(openMs - 1);
    await assert.rejects(ask(), { code: 'UNAVAILABLE' });
    await clock.advance(1);
    await assert.rejects(ask(), { code: 'CONNECTION_LOST' });
  }
  assert.equal(events.filter(({ kind }) => kind === 'opened').length, 5);
});

test('a call that began before the breaker opened is no trial', async () => {
  const { clock, guard, ask, fail } = stage();
  const early = new Call({ clock, random: seededRandom(1) });
  breaker<string, string>({ breaker: guard })(() => new Promise(() => {}))('slow one', early);
  fail(lost);
  for (let index = 0; index < 4; index++) await assert.rejects(ask());
  await clock.advance(1_000);
  fail(undefined);
  await ask();
  early.end(lost);
  await ask();
  assert.equal(guard.state.state, 'closed', 'two good trials close it, whatever the early call says');
});

test('slow calls open it too, when somebody says what slow is; streams are never slow', async () => {
  const { clock, guard } = stage({ slowCallMs: 100, slowFraction: 0.5 });
  const run = async (streamed: boolean): Promise<void> => {
    const call = new Call({ clock, random: seededRandom(1) });
    void breaker<string, string>({ breaker: guard, streamed })(async () => 'x')('x', call);
    await clock.advance(101);
    call.end();
  };
  for (let index = 0; index < 4; index++) await run(true);
  assert.equal(guard.state.state, 'closed');
  for (let index = 0; index < 4; index++) await run(false);
  assert.equal(guard.state.state, 'open');
});

for (const [when, wholeAnswer] of [
  ['later', false],
  ['with an answer that came whole', true],
] as const) {
  test(`what an answer stands for counts, though nothing was thrown: its call ends ${when}`, async () => {
    const clock = new ManualClock();
    const guard = new Breaker({ settings, target: 'orders' });
    const handle = breaker<string, number>({
      breaker: guard,
      failure: (status) => (status >= 500 ? new FlotillaError('INTERNAL', '', { fromPeer: true }) : undefined),
    })(async (_, call) => {
      if (wholeAnswer) call.end();
      return 503;
    });
    for (let index = 0; index < 4; index++) {
      const call = new Call({ clock, random: seededRandom(1) });
      assert.equal(await handle('x', call), 503);
      call.end();
    }
    assert.equal(guard.state.state, 'open');
  });
}

test('refusals by a service that protects itself, and errors of the caller, open nothing', async () => {
  const { guard, ask, fail } = stage();
  for (const error of [
    new FlotillaError('UNAVAILABLE', 'shed', { fromPeer: true, executed: 'no', retryAfterMs: 100 }),
    new FlotillaError('RATE_LIMITED', 'slower', { fromPeer: true }),
    new FlotillaError('INVALID_INPUT', 'no', { fromPeer: true }),
    new FlotillaError('CANCELLED', 'left'),
    new FlotillaError('DEADLINE_EXCEEDED', 'not started', { executed: 'no' }),
  ]) {
    fail(error);
    for (let index = 0; index < 10; index++) await assert.rejects(ask());
  }
  assert.equal(guard.state.state, 'closed');
});

test('a service whose instances are new ones is tried at once, and what it did before counts no more', async () => {
  const { clock, events, guard, ask, fail } = stage({ trialCalls: 1 });
  fail(lost);
  for (let index = 0; index < 4; index++) await assert.rejects(ask());
  await assert.rejects(ask(), { code: 'UNAVAILABLE' });
  guard.renew();
  await assert.rejects(ask(), { code: 'CONNECTION_LOST' }, 'let through, and failed');
  await assert.rejects(ask(), { code: 'UNAVAILABLE' });
  await clock.advance(1_999);
  await assert.rejects(ask(), { code: 'UNAVAILABLE' }, 'a trial that failed counts as any other');
  guard.renew();
  fail(undefined);
  await ask();
  assert.equal(guard.state.state, 'closed');
  assert.deepEqual(
    events.map(({ kind }) => kind).filter((kind) => kind !== 'refused'),
    ['opened', 'tried', 'opened', 'tried', 'closed'],
  );
});

test('a closed one counts anew after that; calls that began before say nothing', async () => {
  const { clock, guard, ask, fail } = stage();
  fail(lost);
  for (let index = 0; index < 3; index++) await assert.rejects(ask());
  const early = new Call({ clock, random: seededRandom(1) });
  breaker<string, string>({ breaker: guard })(() => new Promise(() => {}))('still out', early);
  guard.renew();
  early.end(lost);
  for (let index = 0; index < 3; index++) await assert.rejects(ask());
  assert.equal(guard.state.state, 'closed', 'three of four that it takes');
  await assert.rejects(ask());
  assert.equal(guard.state.state, 'open');
});

test('other settings keep an open breaker open, and count its time by the new ones', async () => {
  const { clock, guard, ask, fail } = stage();
  fail(lost);
  for (let index = 0; index < 4; index++) await assert.rejects(ask());
  guard.configure({ ...settings, openMs: 100 });
  await clock.advance(99);
  await assert.rejects(ask(), { code: 'UNAVAILABLE' });
  await clock.advance(1);
  await assert.rejects(ask(), { code: 'CONNECTION_LOST' });
});
