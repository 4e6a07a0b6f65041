import { type Call, type Filter, FlotillaError, type Outcome } from '@flotilla/core';
import { admitCall, afterCall, afterRenewal, type BreakerState, closedBreaker, reconfigured } from './breaker-state.ts';
import type { BreakerSettings } from './client-policies.ts';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { judgeCall } from './judge-call.ts';

/** Whose breaker it is, and who hears of it. */
export interface BreakerOptions {
  readonly settings: BreakerSettings;
  /** The service that is called. */
  readonly target: string;
  /** The operation, where each has its own. */
  readonly operation?: string | undefined;
  readonly events?: PolicyEvents | undefined;
}

/**
 * The state of one breaker, which outlives the filters that use it: another configuration builds other filters around the
 * same breaker. {@link BreakerState} has the rule.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #events: PolicyEvents;
  #settings: BreakerSettings;
  #state: BreakerState;
  /** Counts the states: a call that was admitted in an earlier one says nothing of this one. */
  #generation = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#events = options.events ?? nullEvents;
    this.#settings = options.settings;
    this.#state = closedBreaker(options.settings);
  }

  get state(): BreakerState {
    return this.#state;
  }

  configure(settings: BreakerSettings): void {
    this.#state = reconfigured(this.#state, this.#settings, settings);
    this.#settings = settings;
  }

  /** The service has new instances, as {@link afterRenewal} says. Calls that began before it count no more. */
  renew(): void {
    this.#state = afterRenewal(this.#state, this.#settings);
    if (this.#state.state === 'closed') this.#generation += 1;
  }

  /** @returns the error to refuse with; undefined: it may go, and {@link watch} has to see its end. */
  admit(call: Call): FlotillaError | undefined {
    if (this.#state.state === 'closed') return undefined;
    const { state, refusedForMs } = admitCall(this.#state, call.clock.now(), this.#settings);
    this.#move(state, call);
    return refusedForMs > 0 ? this.#refusal(refusedForMs, call) : undefined;
  }

  /** Records how the call ends. @param streamed its length says nothing of the service */
  watch(call: Call, streamed: boolean): (outcome: Outcome) => void {
    const generation = this.#generation;
    const startedAt = call.clock.now();
    return (outcome) => {
      if (generation !== this.#generation) return;
      const now = call.endedAt;
      const slow = !streamed && now - startedAt > this.#settings.slowCallMs;
      this.#move(afterCall(this.#state, { judgement: judgeCall(outcome), slow }, now, this.#settings), call);
    };
  }

  #move(state: BreakerState, call: Call): void {
    const before = this.#state;
    this.#state = state;
    if (before.state === state.state) return;
    this.#generation += 1;
    const { target, operation } = this.#options;
    const kind = state.state === 'open' ? 'opened' : state.state === 'closed' ? 'closed' : 'tried';
    tell(this.#events, call.clock, 'breaker', kind, target, operation, numbersOf(before));
  }

  #refusal(refusedForMs: number, call: Call): FlotillaError {
    const { target, operation } = this.#options;
    tell(this.#events, call.clock, 'breaker', 'refused', target, operation);
    const whose = operation === undefined ? `"${target}"` : `${operation} of "${target}"`;
    return new FlotillaError(
      'UNAVAILABLE',
      `the breaker of ${whose} is ${this.#state.state}: too many calls failed; it tries again within ${Math.ceil(refusedForMs)} ms, see breaker.openMs`,
      { executed: 'no', retryAfterMs: Math.ceil(refusedForMs) },
    );
  }
}

/** What led to a change: the numbers of the state that was left. */
function numbersOf(state: BreakerState): Readonly<Record<string, number>> {
  switch (state.state) {
    case 'closed': {
      const { calls, failed, slow } = state.window;
      return { calls, failed, slow };
    }
    case 'open':
      return { times: state.times };
    case 'half-open':
      return { calls: state.ended, failed: state.failed, slow: state.slow, times: state.times };
  }
}

/** How a chain uses a breaker. */
export interface BreakerFilterOptions<Res> {
  readonly breaker: Breaker;
  /** The answers go on as streams: their length is no slowness. */
  readonly streamed?: boolean | undefined;
  /** The failure that a response stands for, though nothing was thrown. Default: none is. */
  readonly failure?: ((response: Res) => FlotillaError | undefined) | undefined;
}

/**
 * Refuses calls to what fails, until trials show that it is well again. A call counts when it has ended, with its last byte;
 * {@link judgeCall} says what counts as a failure.
 *
 * Errors: UNAVAILABLE with `executed: 'no'` and `retryAfterMs`.
 */
export function breaker<Req, Res>({ breaker, streamed = false, failure }: BreakerFilterOptions<Res>): Filter<Req, Res> {
  return (next) => (request, call) => {
    const refusal = breaker.admit(call);
    if (refusal) {
      call.end(refusal);
      return Promise.reject(refusal);
    }
    const ended = breaker.watch(call, streamed);
    if (!failure) {
      call.onEnd(ended);
      return next(request, call);
    }
    return judged(next(request, call), call, failure, ended);
  };
}

/**
 * The outcome of a call whose response may stand for a failure. A response that came whole has ended its call before anybody
 * could look at it: then the look decides, not the end.
 */
function judged<Res>(
  answering: Promise<Res>,
  call: Call,
  failure: (response: Res) => FlotillaError | undefined,
  ended: (outcome: Outcome) => void,
): Promise<Res> {
  let looked = false;
  let over = false;
  let outcome: Outcome;
  let failed: FlotillaError | undefined;
  const look = (found: FlotillaError | undefined): void => {
    looked = true;
    failed = found;
    if (over) ended(outcome ?? failed);
  };
  call.onEnd((end) => {
    over = true;
    outcome = end;
    if (looked) ended(outcome ?? failed);
  });
  return answering.then(
    (response) => {
      look(failure(response));
      return response;
    },
    (thrown: unknown) => {
      look(undefined);
      throw thrown;
    },
  );
}
