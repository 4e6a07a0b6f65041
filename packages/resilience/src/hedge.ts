import {
  begin,
  Call,
  type Filter,
  FlotillaError,
  type Handler,
  idempotentAttribute,
  raceAttribute,
  type Timer,
  toFlotillaError,
} from '@flotilla/core';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { LatencyWindow } from './latency-window.ts';
import { moreDone } from './more-done.ts';
import {
  amount,
  flag,
  fraction,
  type Given,
  milliseconds,
  type PolicyFields,
  resolveFields,
  whole,
} from './policy-fields.ts';
import { createRetryBudget, type RetryBudget } from './retry-budget.ts';

/** When a client asks a second instance because the first is slow. */
export interface HedgeSettings {
  readonly enabled: boolean;
  /** A second attempt begins when the first takes longer than this share of attempts lately, above 0 and below 1. */
  readonly quantile: number;
  /** It begins no sooner than this, however fast the callee is. */
  readonly minDelayMs: number;
  /** With fewer attempts lately nothing is known, and nothing is hedged. */
  readonly minSamples: number;
  /** How long an attempt counts. */
  readonly windowMs: number;
  /** Second attempts as a share of requests, 0 to 1. */
  readonly budgetFraction: number;
  /** Second attempts per second that are allowed on top. */
  readonly budgetPerSecond: number;
}

export const hedgeDefaults: HedgeSettings = Object.freeze({
  enabled: false, // it costs callees up to a tenth more work: who wants a short tail says so
  quantile: 0.95, // one in twenty is late; the second attempt usually takes as long as the median
  minDelayMs: 1, // less is the noise of one turn of the event loop
  minSamples: 50, // a p95 of fewer is a p95 of two or three
  windowMs: 30_000, // follows a change of the load within a minute
  budgetFraction: 0.1, // twice what is late when all is well; when all is slow, callees see 1.1 times the load
  budgetPerSecond: 0, // quiet callers have no samples either
});

export const hedgeFields: PolicyFields<HedgeSettings> = {
  enabled: flag('whether slow attempts are followed by a second one'),
  quantile: amount('a second attempt begins when the first takes longer than this share of them', {
    min: 0.01,
    max: 0.999,
  }),
  minDelayMs: milliseconds('it begins no sooner than this', { min: 0, max: 60_000 }),
  minSamples: whole('with fewer attempts lately nothing is hedged', { min: 1, max: 1_000_000 }),
  windowMs: milliseconds('how long an attempt counts', { min: 100, max: 3_600_000 }),
  budgetFraction: fraction('second attempts as a share of requests'),
  budgetPerSecond: amount('second attempts per second that are allowed on top', { min: 0, max: 100_000 }),
};

/** What hedging needs to know. */
export interface HedgeOptions<Req, Res> extends Given<HedgeSettings> {
  /** What has a latency of its own, and the name in events: from a bounded set. Default: all is one. */
  readonly operationOf?: ((request: Req, call: Call) => string) | undefined;
  /** May the request be done twice without harm? Default: what the call's `idempotentAttribute` says. */
  readonly idempotent?: ((request: Req, call: Call) => boolean) | undefined;
  /** Can the request be sent twice at all? False for a body that can be read only once. Default: always. */
  readonly repeatable?: ((request: Req, call: Call) => boolean) | undefined;
  /** Releases the answer that came second: cancels its body. Default: nothing to release. */
  readonly discard?: ((response: Res) => void) | undefined;
  /** Shared by all that call one cluster. Default: one of its own, made of the `budget…` settings. */
  readonly budget?: RetryBudget | undefined;
  readonly target?: string | undefined;
  readonly events?: PolicyEvents | undefined;
}

/**
 * Asks a second instance when the first is slower than it usually is, and takes whichever answers first; the other is
 * cancelled. ("The Tail at Scale", Dean and Barroso, CACM 2013: hedged requests.)
 *
 * ```
 *   first   ├──────────── p95 ┤───────────╳ cancelled
 *   second                    ├──── answer ▶
 * ```
 *
 * 1. Only what may be done twice is hedged, and only where no outer process repeats it: within a call whose attempts another
 *    process counts nothing is. Both attempts are marked with a number, so that nobody further in repeats them.
 * 2. The delay is a quantile of the attempts lately, per operation: {@link LatencyWindow}. An attempt that lost counts with
 *    the time that it had been given: it would have taken longer.
 * 3. The budget is asked when the second attempt would begin. It goes to another instance (`raceAttribute`) or nowhere.
 * 4. An attempt that fails leaves the other its chance; if both fail, the error that admits more work done is thrown. A failure
 *    before the delay is over is thrown at once: what follows is the business of a retry, which stands outside.
 *
 * The call ends with the answer that is passed on, with its last byte.
 * @throws RangeError
 */
export function hedge<Req, Res>(options: HedgeOptions<Req, Res> = {}): Filter<Req, Res> {
  const policy = resolvePolicy(options);
  return (next) => {
    const latencies = new Map<string, Latency>();
    return (request, call) => {
      if (!policy.mayHedge(request, call)) return next(request, call);
      const now = call.clock.now();
      policy.budget.deposit(now);
      const operation = policy.operationOf(request, call);
      const latency = latencyOf(latencies, operation, policy.settings.windowMs);
      const delayMs = latency.delayMs(policy.settings, now);
      if (delayMs < call.deadline - now)
        return new Race({ next, request, call, policy, latency, operation }).run(delayMs);
      const answer = next(request, call);
      answer.then(() => latency.window.record(call.clock.now() - now, call.clock.now()), nothing);
      return answer;
    };
  };
}

interface HedgePolicy<Req, Res> {
  readonly settings: HedgeSettings;
  readonly mayHedge: (request: Req, call: Call) => boolean;
  readonly operationOf: (request: Req, call: Call) => string;
  readonly discard: (response: Res) => void;
  readonly budget: RetryBudget;
  readonly target: string;
  readonly events: PolicyEvents;
}

function resolvePolicy<Req, Res>(options: HedgeOptions<Req, Res>): HedgePolicy<Req, Res> {
  const settings = resolveFields(hedgeFields, hedgeDefaults, options);
  const { idempotent = isMarkedIdempotent, repeatable = always } = options;
  const { budgetFraction: share, budgetPerSecond: perSecond } = settings;
  return {
    settings,
    mayHedge: (request, call) => isOurs(call) && idempotent(request, call) && repeatable(request, call),
    operationOf: options.operationOf ?? noName,
    discard: options.discard ?? nothing,
    budget: options.budget ?? createRetryBudget({ fraction: share, perSecond, windowMs: 10_000 }),
    target: options.target ?? '',
    events: options.events ?? nullEvents,
  };
}

/** Some call around is not marked as an attempt: whoever marks those further in stands in this process. */
function isOurs(call: Call): boolean {
  let around: Call | undefined = call;
  while (around && around.attempt !== undefined) around = around.parent;
  return around !== undefined;
}

/** More names than this share what is known: they come from the contract, but a generic call takes any. */
const maxLatencies = 1_000;

function latencyOf(latencies: Map<string, Latency>, operation: string, windowMs: number): Latency {
  const name = latencies.size < maxLatencies || latencies.has(operation) ? operation : '';
  let latency = latencies.get(name);
  if (!latency) {
    latency = new Latency(windowMs);
    latencies.set(name, latency);
  }
  return latency;
}

/** What is known of one operation. Its quantile is worked out again after 16 further samples, or after a second. */
class Latency {
  readonly window: LatencyWindow;
  #delayMs = Infinity;
  #countThen = -1;
  #workedOutAt = -Infinity;

  constructor(windowMs: number) {
    this.window = new LatencyWindow(windowMs);
  }

  /** When the second attempt begins; `Infinity`: not at all. */
  delayMs({ quantile, minDelayMs, minSamples }: HedgeSettings, now: number): number {
    const count = this.window.count(now);
    if (count >= this.#countThen && count < this.#countThen + 16 && now - this.#workedOutAt < 1_000)
      return this.#delayMs;
    this.#countThen = count;
    this.#workedOutAt = now;
    const measured = count < minSamples ? undefined : this.window.quantile(quantile, now);
    this.#delayMs = measured === undefined ? Infinity : Math.max(minDelayMs, measured);
    return this.#delayMs;
  }
}

interface RaceParts<Req, Res> {
  readonly next: Handler<Req, Res>;
  readonly request: Req;
  readonly call: Call;
  readonly policy: HedgePolicy<Req, Res>;
  readonly latency: Latency;
  readonly operation: string;
}

/** One request and its one or two attempts. */
class Race<Req, Res> {
  readonly #parts: RaceParts<Req, Res>;
  readonly #running = new Set<Call>();
  #resolve: (response: Res) => void = nothing;
  #reject: (error: unknown) => void = nothing;
  #timer: Timer | undefined;
  #failure: unknown;
  #isOver = false;

  constructor(parts: RaceParts<Req, Res>) {
    this.#parts = parts;
  }

  run(delayMs: number): Promise<Res> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const { clock } = this.#parts.call;
      this.#attempt('first');
      if (!this.#isOver) this.#timer = clock.setTimer(Math.ceil(delayMs), () => this.#hedge(), { background: true });
    });
  }

  #hedge(): void {
    this.#timer = undefined;
    const { call, policy } = this.#parts;
    if (this.#isOver || call.cancelled) return;
    if (!policy.budget.withdraw(call.clock.now())) {
      this.#tell('over_budget');
      return;
    }
    this.#tell('sent');
    this.#attempt('second');
  }

  #attempt(which: 'first' | 'second'): void {
    const { next, request, call } = this.#parts;
    const startedAt = call.clock.now();
    const leg = legOf(call, which, startedAt);
    this.#running.add(leg);
    begin(next, request, leg).then(
      (response) => this.#answered(response, leg, which, startedAt),
      (thrown: unknown) => this.#failed(thrown, leg),
    );
  }

  #answered(response: Res, leg: Call, which: 'first' | 'second', startedAt: number): void {
    const { call, policy, latency } = this.#parts;
    this.#running.delete(leg);
    if (this.#isOver) {
      policy.discard(response);
      leg.end();
      return;
    }
    const now = call.clock.now();
    latency.window.record(now - startedAt, now);
    if (which === 'second') this.#tell('won');
    this.#over();
    for (const loser of this.#running) {
      if (which === 'second') latency.window.record(now - loser.startedAt, now);
      loser.cancel(lost());
    }
    leg.endTogether();
    this.#resolve(response);
  }

  #failed(thrown: unknown, leg: Call): void {
    this.#running.delete(leg);
    leg.end(toFlotillaError(thrown));
    if (this.#isOver) return;
    this.#failure = moreDone(this.#failure, thrown);
    if (this.#running.size > 0) return;
    this.#over();
    this.#parts.call.end(toFlotillaError(this.#failure));
    this.#reject(this.#failure);
  }

  #over(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #tell(kind: 'sent' | 'won' | 'over_budget'): void {
    const { policy, call, operation } = this.#parts;
    const numbers = { afterMs: call.clock.now() - call.startedAt };
    tell(policy.events, call.clock, 'hedge', kind, policy.target, operation, numbers);
  }
}

/** Marked with a number: nobody further in repeats it, and instances that were tried are remembered outside of it. */
function legOf(call: Call, which: 'first' | 'second', startedAt: number): Call {
  const number = call.attempt ?? 1;
  const attempt = which === 'first' ? number : number + 1;
  const { trace, idempotencyKey } = call;
  const leg = new Call({ trace, idempotencyKey, attempt, startedAt, expendable: true }, call);
  leg.set(raceAttribute, which);
  return leg;
}

function lost(): FlotillaError {
  return new FlotillaError('CANCELLED', 'another attempt answered first');
}

function isMarkedIdempotent(_request: unknown, call: Call): boolean {
  return call.get(idempotentAttribute) === true;
}

function always(): boolean {
  return true;
}

function noName(): string {
  return '';
}

function nothing(): void {}
