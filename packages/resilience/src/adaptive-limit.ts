import type { ProcessLoad } from './load-source.ts';
import type { ConcurrencySettings } from './server-policies.ts';

/**
 * A limit of concurrent calls that finds itself. In each window:
 *
 * ```
 *   ratio    = how many times as long as at rest calls took, the mean over all of them
 *   gradient = the least of 1, tolerance ÷ ratio, maxLoopDelay ÷ loopDelay; never below ½
 *   limit    × gradient      when gradient < 1; not below where it began, unless at least half of it was used
 *   limit    + √limit × room else, if at least half of it was used; room = 1, of a busy process at most 2 × (1 - ratio ÷ tolerance)
 *   limit    × 0.95          else, down to where it began: what nobody needs is no promise
 * ```
 *
 * Somebody who is kept out of a process that has time to spare, and whose calls take no longer than at rest, is no
 * overload: then the limit rises by half at once ({@link growAtOnce}), also where no call has ended yet.
 *
 * The time at rest is kept per operation, so that another mix of operations is no slowness. It falls quickly. It rises only
 * while the process has time to spare and the limit keeps nobody out, or has fallen to its floor: calls that take long
 * although next to nobody is in flight are slow by themselves, and that is the new rest.
 *
 * After Netflix's concurrency-limits (Gradient2) and Envoy's adaptive concurrency.
 */
export interface AdaptiveLimit {
  limit: number;
  windowStartedAt: number;
  calls: number;
  ratios: number;
  totalMs: number;
  /** Most calls in flight in this window. */
  peak: number;
  /** Somebody was refused, or had to wait. */
  keptOut: boolean;
  /** Calls that were let in and have ended, timed or not. */
  ended: number;
  /** What a call costs the event loop, at its cheapest lately; 0: not known yet. */
  costMs: number;
  /** Calls that one turn of the event loop bears, by the last window; `Infinity` while nothing presses. */
  turnLimit: number;
  /** Of the last window that had enough calls. */
  lastRatio: number;
  lastMeanMs: number;
  /** When it may rise at once again. */
  growsAt: number;
  readonly operations: Map<string, OperationTimes>;
}

/** How long one operation takes. */
interface OperationTimes {
  restMs: number;
  calls: number;
  totalMs: number;
}

/** What a window changed. */
export interface LimitMove {
  readonly before: number;
  readonly ratio: number;
  readonly loopDelayMs: number;
}

/** A limit that has seen nothing. */
export function newLimit({ initialLimit, minLimit, maxLimit }: ConcurrencySettings, now: number): AdaptiveLimit {
  return {
    limit: Math.min(maxLimit, Math.max(minLimit, initialLimit)),
    windowStartedAt: now,
    calls: 0,
    ratios: 0,
    totalMs: 0,
    peak: 0,
    keptOut: false,
    ended: 0,
    costMs: 0,
    turnLimit: Infinity,
    lastRatio: 1,
    lastMeanMs: 0,
    growsAt: now,
    operations: new Map(),
  };
}

/** Operations that are told apart; beyond it the rest counts as one. */
const maxOperations = 1_000;

/** A call ended well, `durationMs` after it was let in. What failed says nothing of the load. */
export function addCall(state: AdaptiveLimit, operation: string, durationMs: number): void {
  const times = timesOf(state, operation, durationMs);
  times.calls += 1;
  times.totalMs += durationMs;
  state.calls += 1;
  state.ratios += durationMs / times.restMs;
  state.totalMs += durationMs;
}

/** Fewer calls than this say nothing, unless the event loop does. */
const enoughCalls = 10;
/** A process below it has time to spare: slowness comes from elsewhere. */
const busyFraction = 0.7;

/**
 * Ends the window if it is over, and moves the limit.
 * @returns undefined when nothing was decided
 */
export function turnWindow(
  state: AdaptiveLimit,
  now: number,
  load: ProcessLoad,
  settings: ConcurrencySettings,
): LimitMove | undefined {
  if (now - state.windowStartedAt < reactionMs(state, settings)) return undefined;
  const late = load.loopDelayMs > settings.maxLoopDelayMs;
  if (state.calls < enoughCalls && !late) {
    // A quiet service gathers its calls over several windows, but none so old that it means nothing.
    if (now - state.windowStartedAt > 10 * settings.windowMs) {
      state.turnLimit = Infinity;
      startWindow(state, now);
    }
    return undefined;
  }
  const ratio = state.calls === 0 ? 1 : state.ratios / state.calls;
  const before = state.limit;
  if (state.calls >= enoughCalls) {
    state.lastRatio = ratio;
    state.lastMeanMs = state.totalMs / state.calls;
  }
  state.limit = nextLimit(state, ratio, load, settings);
  learnRest(state, load, settings, late);
  learnCost(state, now - state.windowStartedAt, load);
  state.turnLimit = turnLimitOf(state, load, settings);
  startWindow(state, now);
  return { before, ratio, loopDelayMs: load.loopDelayMs };
}

/**
 * Somebody is kept out: is that right?
 * @returns true when the limit rose instead
 */
export function growAtOnce(
  state: AdaptiveLimit,
  now: number,
  load: ProcessLoad,
  settings: ConcurrencySettings,
): boolean {
  const slow = state.lastRatio > settings.latencyTolerance;
  const busy = load.utilisation >= busyFraction || load.loopDelayMs > settings.maxLoopDelayMs;
  if (slow || busy || now < state.growsAt || state.limit >= settings.maxLimit) return false;
  state.growsAt = now + reactionMs(state, settings) / 2;
  state.limit = Math.min(settings.maxLimit, state.limit * 1.5);
  return true;
}

/** What a move let in, or kept out, has to show before the next one: as long as a call takes, but no wait for ever. */
function reactionMs({ lastMeanMs }: AdaptiveLimit, { windowMs }: ConcurrencySettings): number {
  return Math.max(windowMs, Math.min(lastMeanMs, 5 * windowMs));
}

/** The same limit under other settings. */
export function reconfiguredLimit(state: AdaptiveLimit, { minLimit, maxLimit }: ConcurrencySettings): void {
  state.limit = Math.min(maxLimit, Math.max(minLimit, state.limit));
}

function nextLimit(
  { limit, peak, calls }: AdaptiveLimit,
  ratio: number,
  { loopDelayMs, utilisation }: ProcessLoad,
  settings: ConcurrencySettings,
): number {
  const { initialLimit, minLimit, maxLimit, latencyTolerance, maxLoopDelayMs } = settings;
  const byLatency = calls < enoughCalls ? 1 : latencyTolerance / ratio;
  const gradient = Math.max(0.5, Math.min(1, byLatency, maxLoopDelayMs / Math.max(loopDelayMs, 1e-9)));
  const used = peak * 2 >= limit;
  // Slowness that few calls in flight meet is not theirs: who keeps bursts out then, makes it worse.
  if (gradient < 1) return Math.max(used ? minLimit : Math.min(limit, initialLimit), limit * gradient);
  // Slower the nearer it is: who rises at full pace until calls are slow swings about the right limit.
  const room = calls < enoughCalls || utilisation < busyFraction ? 1 : Math.min(1, 2 * (1 - ratio / latencyTolerance));
  if (used) return Math.min(maxLimit, limit + Math.sqrt(limit) * room);
  return limit > initialLimit ? Math.max(initialLimit, limit * 0.95) : limit;
}

/**
 * What is begun together is done together: the loop computes for all of them before it looks at its sockets again, and then
 * has nothing to do while all of them wait. So a busy process that keeps callers out begins as many calls in a turn as it can
 * compute in a fraction of what a call takes at rest.
 */
function turnLimitOf(
  { keptOut, calls, ratios, totalMs, costMs }: AdaptiveLimit,
  { utilisation, loopDelayMs }: ProcessLoad,
  { maxLoopDelayMs }: ConcurrencySettings,
): number {
  const pressed = (keptOut || loopDelayMs > maxLoopDelayMs) && utilisation >= busyFraction;
  if (!pressed || costMs === 0) return Infinity;
  const restMs = calls === 0 ? leastMs : totalMs / ratios;
  return Math.max(1, Math.min(restMs * turnFraction, maxLoopDelayMs) / costMs);
}

/** A call waits three turns at most: to be read, for what it waited for to be looked at, and for the others of its turn. */
const turnFraction = 0.4;

/** In a window. */
const costRise = 1.02;

/** It falls quickly and rises slowly: for some seconds a process that has other work to do does not take it for its calls'. */
function learnCost(state: AdaptiveLimit, windowMs: number, { utilisation }: ProcessLoad): void {
  if (state.ended < enoughCalls) return;
  const costMs = (windowMs * utilisation) / state.ended;
  // In idle times what else the process does makes a call look dear: the first busy window tells.
  const dear = utilisation >= busyFraction && costMs < state.costMs / 2;
  if (state.costMs === 0 || dear) state.costMs = costMs;
  else if (costMs < state.costMs) state.costMs += 0.3 * (costMs - state.costMs);
  else state.costMs = Math.min(costMs, state.costMs * costRise);
}

function learnRest(state: AdaptiveLimit, load: ProcessLoad, { minLimit }: ConcurrencySettings, late: boolean): void {
  const free = !state.keptOut || state.limit <= minLimit;
  const mayRise = free && !late && load.utilisation < busyFraction;
  for (const times of state.operations.values()) {
    if (times.calls === 0) continue;
    const mean = Math.max(leastMs, times.totalMs / times.calls);
    const weight = Math.min(1, times.calls / enoughCalls);
    if (mean < times.restMs) times.restMs += 0.3 * weight * (mean - times.restMs);
    else if (mayRise) times.restMs += 0.1 * weight * (mean - times.restMs);
    times.calls = 0;
    times.totalMs = 0;
  }
}

function startWindow(state: AdaptiveLimit, now: number): void {
  state.windowStartedAt = now;
  state.calls = 0;
  state.ratios = 0;
  state.totalMs = 0;
  state.peak = 0;
  state.keptOut = false;
  state.ended = 0;
}

/** Shorter times are all the same: nobody minds that a call which takes no time at rest takes twice as long as this. */
const leastMs = 2;

function timesOf(state: AdaptiveLimit, operation: string, durationMs: number): OperationTimes {
  const known = state.operations.get(operation);
  if (known) return known;
  if (state.operations.size >= maxOperations && operation !== '') return timesOf(state, '', durationMs);
  const times = { restMs: Math.max(leastMs, durationMs), calls: 0, totalMs: 0 };
  state.operations.set(operation, times);
  return times;
}
