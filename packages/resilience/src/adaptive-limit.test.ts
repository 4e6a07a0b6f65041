import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addCall, growAtOnce, newLimit, turnWindow } from './adaptive-limit.ts';
import type { ProcessLoad } from './load-source.ts';
import { type ConcurrencySettings, concurrencyDefaults } from './server-policies.ts';

const settings: ConcurrencySettings = { ...concurrencyDefaults, windowMs: 100 };
const idle: ProcessLoad = { loopDelayMs: 0, utilisation: 0.1, heapFraction: 0.1 };
const busy: ProcessLoad = { ...idle, utilisation: 1 };

/** The same rule over the list of all calls of a window, for one operation whose rest is known. */
function naiveLimit(
  limit: number,
  restMs: number,
  durations: readonly number[],
  peak: number,
  { loopDelayMs }: ProcessLoad,
): number {
  const late = loopDelayMs > settings.maxLoopDelayMs;
  if (durations.length < 10 && !late) return limit;
  const ratio = durations.reduce((sum, each) => sum + each / restMs, 0) / durations.length;
  const candidates = [1, settings.maxLoopDelayMs / loopDelayMs];
  if (durations.length >= 10) candidates.push(settings.latencyTolerance / ratio);
  const gradient = Math.max(0.5, Math.min(...candidates));
  const floor = peak >= limit / 2 ? settings.minLimit : Math.min(limit, settings.initialLimit);
  if (gradient < 1) return Math.max(floor, limit * gradient);
  const room = durations.length < 10 ? 1 : Math.min(1, 2 - (2 * ratio) / settings.latencyTolerance);
  if (peak >= limit / 2) return Math.min(settings.maxLimit, limit + Math.sqrt(limit) * room);
  return limit > settings.initialLimit ? Math.max(settings.initialLimit, limit * 0.95) : limit;
}

test('one window agrees with the list of its calls, and stays within its bounds', () => {
  const window = fc.record({
    durations: fc.array(fc.double({ min: 1, max: 200, noNaN: true }), { maxLength: 40 }),
    restMs: fc.double({ min: 1, max: 50, noNaN: true }),
    limit: fc.integer({ min: settings.minLimit, max: settings.maxLimit }),
    peak: fc.integer({ min: 0, max: 1_000 }),
    loopDelayMs: fc.constantFrom(0, 5, 20, 21, 80),
  });
  fc.assert(
    fc.property(window, ({ durations, restMs, limit, peak, loopDelayMs }) => {
      const load = { ...busy, loopDelayMs };
      const state = newLimit({ ...settings, initialLimit: limit }, 0);
      state.operations.set('a', { restMs, calls: 0, totalMs: 0 });
      state.peak = peak;
      for (const each of durations) addCall(state, 'a', each);
      turnWindow(state, 100, load, settings);
      const expected = naiveLimit(limit, restMs, durations, peak, load);
      assert.ok(Math.abs(state.limit - expected) < 1e-6, `${state.limit} is not ${expected}`);
      assert.ok(state.limit >= settings.minLimit && state.limit <= settings.maxLimit);
    }),
  );
});

/** A window in which every call took the same time. */
function pass(state: ReturnType<typeof newLimit>, durationMs: number, load = idle, operation = 'a', calls = 20): void {
  for (let index = 0; index < calls; index++) addCall(state, operation, durationMs);
  state.peak = Math.floor(state.limit);
  turnWindow(state, state.windowStartedAt + 500, load, settings);
}

test('another mix of operations is no slowness', () => {
  const state = newLimit(settings, 0);
  for (let index = 0; index < 20; index++) {
    pass(state, 1, idle, 'quick', 19);
    pass(state, 200, idle, 'slow', 11);
  }
  const before = state.limit;
  pass(state, 200, busy, 'slow', 50);
  assert.ok(state.limit >= before, `${before} became ${state.limit}`);
});

test('a service that is slow by itself, with next to nobody in flight, is not throttled for ever', () => {
  const state = newLimit(settings, 0);
  for (let index = 0; index < 10; index++) pass(state, 10);
  for (let index = 0; index < 5; index++) {
    state.keptOut = true;
    pass(state, 100);
  }
  assert.ok(state.limit < 10, 'first it is taken for overload');
  for (let index = 0; index < 40; index++) {
    state.keptOut = true;
    pass(state, 100);
  }
  assert.ok(state.limit > settings.initialLimit, `then it is the new rest: ${state.limit}`);
});

test('a busy process learns no new rest from its own slowness', () => {
  const state = newLimit(settings, 0);
  for (let index = 0; index < 10; index++) pass(state, 10);
  for (let index = 0; index < 200; index++) {
    state.keptOut = true;
    pass(state, 100, busy);
  }
  assert.equal(state.limit, settings.minLimit);
});

test('who is kept out of an idle process is let in at once; of a busy or slow one, not', () => {
  const state = newLimit(settings, 0);
  assert.equal(growAtOnce(state, 0, busy, settings), false);
  assert.equal(growAtOnce(state, 0, { ...idle, loopDelayMs: 21 }, settings), false);
  assert.equal(growAtOnce(state, 0, idle, settings), true);
  assert.equal(state.limit, 30);
  assert.equal(growAtOnce(state, 49, idle, settings), false, 'what it let in has to show first');
  assert.equal(growAtOnce(state, 50, idle, settings), true);
  pass(state, 10);
  pass(state, 100);
  assert.equal(growAtOnce(state, 10_000, idle, settings), false, 'calls take longer than at rest');
});

test('what nobody needs is given up again', () => {
  const state = newLimit(settings, 0);
  for (let index = 0; index < 10; index++) pass(state, 10);
  assert.ok(state.limit > 60);
  for (let index = 0; index < 100; index++) {
    for (let call = 0; call < 20; call++) addCall(state, 'a', 10);
    state.peak = 2;
    turnWindow(state, state.windowStartedAt + 500, idle, settings);
  }
  assert.equal(state.limit, settings.initialLimit);
});

test('operations that are told apart are bounded', () => {
  const state = newLimit(settings, 0);
  for (let index = 0; index < 5_000; index++) addCall(state, `operation-${index}`, 1);
  assert.ok(state.operations.size <= 1_001);
});

test('a process that stalls with next to nothing in flight keeps room for the burst that follows', () => {
  const state = newLimit(settings, 0);
  for (let now = 50; now <= 5_000; now += 50) {
    for (let call = 0; call < 12; call++) addCall(state, 'a', 100 + now);
    state.peak = 3;
    turnWindow(state, now, { ...busy, loopDelayMs: 200 }, settings);
  }
  assert.equal(state.limit, settings.initialLimit);
});

test('a turn bears what can be computed in a fraction of the time at rest, while callers are kept out of a busy process', () => {
  const state = newLimit(settings, 0);
  const window = (ms: number, ended: number, keptOut: boolean, load = busy): number => {
    for (let call = 0; call < ended; call++) addCall(state, 'a', 10);
    state.ended = ended;
    state.keptOut = keptOut;
    turnWindow(state, state.windowStartedAt + ms, load, settings);
    return state.turnLimit;
  };
  assert.equal(window(100, 50, false), Infinity, 'nobody is kept out');
  assert.equal(window(100, 50, true), (10 * 0.4) / 2);
  assert.equal(window(100, 50, true, idle), Infinity, 'there is time to spare');
  assert.equal(state.costMs < 2, true, 'in idle time a call costs what it costs');
  const cheap = state.costMs;
  window(100, 10, true);
  assert.ok(state.costMs <= cheap * 1.03, 'what else the process does is not taken for the cost of its calls');
  assert.ok(window(1_100, 0, true) === Infinity, 'a quiet time ends it');
  assert.ok(window(100, 10_000, true) >= 1);
  state.costMs = 5;
  window(100, 1_000, true);
  assert.equal(state.costMs, 0.1, 'what made calls look dear in idle times counts no longer when they are many');
  assert.equal(window(100, 10, true) >= 1, true, 'one call at least');
});
