/** How many retries there may be. */
export interface RetryBudgetOptions {
  /** Retries as a share of requests, 0 to 1. */
  readonly fraction: number;
  /** Retries per second that are allowed on top. */
  readonly perSecond: number;
  /** How long requests and retries count. */
  readonly windowMs: number;
}

/**
 * What was asked and what was repeated, over the last window, in ten slots:
 *
 * ```
 *   slot      …  41  42  43  44  45  46  47  48  49  50     slot = floor(now / slotMs), kept at slot mod 10
 *   requests     12  30   8   0   …                          invariant, over the slots that still count:
 *   retries       2   1   9   0   …                          retries <= fraction × requests + perSecond × window
 * ```
 *
 * A request pays for retries only while it counts, and a retry counts at least as long as the request that paid for
 * it: nothing is spent twice. The idea is Finagle's `RetryBudget`.
 */
export interface RetryBudgetState {
  readonly slotMs: number;
  readonly fraction: number;
  readonly reserve: number;
  readonly requests: Float64Array;
  readonly retries: Float64Array;
  /** The newest slot that was written. */
  newest: number;
  requestsInWindow: number;
  retriesInWindow: number;
}

const slots = 10;

/** An allowance for retries that all filters calling one cluster share. */
export interface RetryBudget {
  /** A request came; `now` in milliseconds of any one clock. */
  deposit(now: number): void;
  /** Takes one retry out of the allowance. False: nothing is left, and nothing is taken. */
  withdraw(now: number): boolean;
  /** How many retries are allowed at this moment. */
  available(now: number): number;
}

/** A full budget. It holds no timers: every step is told the time. */
export function createRetryBudget(options: RetryBudgetOptions): RetryBudget {
  const state = emptyBudget(options);
  return {
    deposit: (now) => depositRequest(state, now),
    withdraw: (now) => withdrawRetry(state, now),
    available: (now) => availableRetries(state, now),
  };
}

/**
 * A budget of one client that also draws on one that all clients of a process share: a retry needs both. So no client
 * spends what is meant for all, and many clients that fail together stay within one bound.
 */
export function jointBudget(own: RetryBudget, shared: RetryBudget): RetryBudget {
  return {
    deposit(now) {
      own.deposit(now);
      shared.deposit(now);
    },
    withdraw(now) {
      // Asked first, so that nothing is taken from one when the other has nothing left.
      return own.available(now) >= 1 && shared.withdraw(now) && own.withdraw(now);
    },
    available: (now) => Math.min(own.available(now), shared.available(now)),
  };
}

/** What all clients of a process share. */
export const processBudgetDefaults: RetryBudgetOptions = Object.freeze({
  fraction: 0.2, // as for one client: when everything fails, everybody together sees 1.2 times the load
  perSecond: 50, // five quiet clients that fail at once may still retry
  windowMs: 10_000,
});

function emptyBudget({ fraction, perSecond, windowMs }: RetryBudgetOptions): RetryBudgetState {
  return {
    slotMs: windowMs / slots,
    fraction,
    reserve: (perSecond * windowMs) / 1_000,
    requests: new Float64Array(slots),
    retries: new Float64Array(slots),
    newest: 0,
    requestsInWindow: 0,
    retriesInWindow: 0,
  };
}

function depositRequest(state: RetryBudgetState, now: number): void {
  const index = turnTo(state, now);
  state.requests[index] = (state.requests[index] ?? 0) + 1;
  state.requestsInWindow += 1;
}

function withdrawRetry(state: RetryBudgetState, now: number): boolean {
  const index = turnTo(state, now);
  if (availableNow(state) < 1) return false;
  state.retries[index] = (state.retries[index] ?? 0) + 1;
  state.retriesInWindow += 1;
  return true;
}

function availableRetries(state: RetryBudgetState, now: number): number {
  turnTo(state, now);
  return availableNow(state);
}

function availableNow({ fraction, reserve, requestsInWindow, retriesInWindow }: RetryBudgetState): number {
  // 1e-9: 0.2 × 5 must pay for one retry although binary fractions do not add up exactly.
  return Math.max(0, Math.floor(fraction * requestsInWindow + reserve - retriesInWindow + 1e-9));
}

/** Empties the slots that no longer count. A clock that stands still or steps back changes nothing. */
function turnTo(state: RetryBudgetState, now: number): number {
  const slot = Math.floor(now / state.slotMs);
  const passed = Math.min(slots, slot - state.newest);
  for (let step = 1; step <= passed; step++) clear(state, modulo(slot - passed + step));
  state.newest = Math.max(state.newest, slot);
  return modulo(state.newest);
}

function clear(state: RetryBudgetState, index: number): void {
  state.requestsInWindow -= state.requests[index] ?? 0;
  state.retriesInWindow -= state.retries[index] ?? 0;
  state.requests[index] = 0;
  state.retries[index] = 0;
}

function modulo(slot: number): number {
  return ((slot % slots) + slots) % slots;
}
