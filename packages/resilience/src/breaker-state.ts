import type { BreakerSettings } from './client-policies.ts';
import type { CallJudgement } from './judge-call.ts';
import { CallWindow, type OutcomeWindow, TimeWindow } from './outcome-window.ts';

/**
 * | state | permits | exits |
 * |---|---|---|
 * | `closed` | every call | `open`, when enough of the window's calls failed or were slow |
 * | `open` | none | `half-open`, with the first call after `openMs × 2^(times − 1)`, at most `maxOpenMs`, or after a renewal |
 * | `half-open` | `trialCalls` | `closed` or `open` as the trials decide; `open` when they take longer than `trialMs` |
 */
export type BreakerState =
  | { readonly state: 'closed'; readonly window: OutcomeWindow }
  | { readonly state: 'open'; readonly openedAt: number; readonly times: number; readonly renewed: boolean }
  | {
      readonly state: 'half-open';
      readonly since: number;
      readonly times: number;
      readonly admitted: number;
      readonly ended: number;
      readonly failed: number;
      readonly slow: number;
    };

export type BreakerChange = 'opened' | 'tried' | 'closed';

/** How a call ended. */
export interface CallEnd {
  readonly judgement: CallJudgement;
  readonly slow: boolean;
}

/** The state after a call asked, and whether it may go. */
export interface Admission {
  readonly state: BreakerState;
  /** 0: it may go. Else how long the breaker still refuses. */
  readonly refusedForMs: number;
}

/** A breaker that has seen nothing. */
export function closedBreaker(settings: BreakerSettings): BreakerState {
  return { state: 'closed', window: windowOf(settings) };
}

/** A call asks to go. */
export function admitCall(breaker: BreakerState, now: number, settings: BreakerSettings): Admission {
  switch (breaker.state) {
    case 'closed':
      return { state: breaker, refusedForMs: 0 };
    case 'open': {
      const refusedForMs = breaker.renewed ? 0 : breaker.openedAt + openForMs(breaker.times, settings) - now;
      return refusedForMs > 0
        ? { state: breaker, refusedForMs }
        : { state: trial(breaker.times, now), refusedForMs: 0 };
    }
    case 'half-open':
      return admitTrial(breaker, now, settings);
  }
}

/** A call that was admitted in this very state ended. */
export function afterCall(breaker: BreakerState, end: CallEnd, now: number, settings: BreakerSettings): BreakerState {
  if (breaker.state === 'open') return breaker;
  if (breaker.state === 'half-open') return afterTrial(breaker, end, now, settings);
  if (end.judgement === 'ignore') return breaker;
  const { window } = breaker;
  window.add(now, end.judgement === 'failure', end.slow);
  const enough = settings.window === 'calls' ? Math.min(settings.minCalls, settings.windowCalls) : settings.minCalls;
  return window.calls >= enough && isBroken(window.calls, window, settings) ? opened(1, now) : breaker;
}

/**
 * The service is another one than it was: half or more of the instances that may be called have just come. What its calls
 * came to before says nothing of it: an open breaker tries at once, a closed one begins to count anew.
 */
export function afterRenewal(breaker: BreakerState, settings: BreakerSettings): BreakerState {
  switch (breaker.state) {
    case 'open':
      return { ...breaker, renewed: true };
    case 'closed':
      return closedBreaker(settings);
    case 'half-open':
      return breaker; // it is being tried
  }
}

/** The same breaker under other settings. Numbers of the window are lost only when the window itself is another one. */
export function reconfigured(breaker: BreakerState, before: BreakerSettings, now: BreakerSettings): BreakerState {
  const same =
    before.window === now.window && before.windowCalls === now.windowCalls && before.windowMs === now.windowMs;
  return breaker.state === 'closed' && !same ? closedBreaker(now) : breaker;
}

type HalfOpen = Extract<BreakerState, { state: 'half-open' }>;

function admitTrial(breaker: HalfOpen, now: number, settings: BreakerSettings): Admission {
  const undecidedForMs = now - breaker.since;
  if (undecidedForMs >= settings.trialMs) {
    const state = opened(breaker.times + 1, now);
    return { state, refusedForMs: openForMs(state.times, settings) };
  }
  if (breaker.admitted >= settings.trialCalls) {
    return { state: breaker, refusedForMs: Math.min(settings.openMs, settings.trialMs - undecidedForMs) };
  }
  return { state: { ...breaker, admitted: breaker.admitted + 1 }, refusedForMs: 0 };
}

function afterTrial(
  breaker: HalfOpen,
  { judgement, slow }: CallEnd,
  now: number,
  settings: BreakerSettings,
): BreakerState {
  // It said nothing, so another one may try instead.
  if (judgement === 'ignore') return { ...breaker, admitted: Math.max(0, breaker.admitted - 1) };
  const counted: HalfOpen = {
    ...breaker,
    ended: breaker.ended + 1,
    failed: breaker.failed + (judgement === 'failure' ? 1 : 0),
    slow: breaker.slow + (slow ? 1 : 0),
  };
  // Decided as soon as the trials that are still out could not change it.
  if (isBroken(settings.trialCalls, counted, settings)) return opened(breaker.times + 1, now);
  return counted.ended >= settings.trialCalls ? closedBreaker(settings) : counted;
}

function isBroken(
  calls: number,
  { failed, slow }: { readonly failed: number; readonly slow: number },
  settings: BreakerSettings,
): boolean {
  return failed >= calls * settings.failureFraction || slow >= calls * settings.slowFraction;
}

function opened(times: number, now: number): Extract<BreakerState, { state: 'open' }> {
  return { state: 'open', openedAt: now, times, renewed: false };
}

function trial(times: number, now: number): HalfOpen {
  return { state: 'half-open', since: now, times, admitted: 1, ended: 0, failed: 0, slow: 0 };
}

function openForMs(times: number, { openMs, maxOpenMs }: BreakerSettings): number {
  return Math.min(Math.max(openMs, maxOpenMs), openMs * 2 ** (times - 1));
}

function windowOf({ window, windowCalls, windowMs }: BreakerSettings): OutcomeWindow {
  return window === 'calls' ? new CallWindow(windowCalls) : new TimeWindow(windowMs);
}
