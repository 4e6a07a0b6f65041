import {
  begin,
  type Call,
  type Counter,
  type EndWatcher,
  type Filter,
  type FlotillaError,
  type Handler,
  idempotentAttribute,
  type Meter,
  nullMeter,
  type Outcome,
  sleep,
  toFlotillaError,
} from '@flotilla/core';
import { nullEvents, type PolicyEvents, type PolicyKinds, tell } from './events.ts';
import { attemptIn, endWith } from './inner-call.ts';
import { moreDone } from './more-done.ts';
import { createRetryBudget, type RetryBudget } from './retry-budget.ts';
import { backoffMs, isRepeatable } from './retry-rules.ts';
import { type PartialSettings, type ResilienceSettings, resolveResilience } from './settings.ts';

/** What a retry needs to know; everything has a default. */
export interface RetryOptions<Req, Res> extends PartialSettings {
  /** Shared by all filters that call one cluster. Default: one of its own, made of the `retryBudget…` settings. */
  readonly budget?: RetryBudget | undefined;
  /** May the request be done twice without harm? Default: what the call's `idempotentAttribute` says. */
  readonly idempotent?: ((request: Req, call: Call) => boolean) | undefined;
  /** Can the request be sent twice at all? False for a body that can be read only once. Default: always. */
  readonly repeatable?: ((request: Req, call: Call) => boolean) | undefined;
  /** The failure that a response stands for: an HTTP answer 503 is one, though nothing was thrown. Default: none is. */
  readonly failure?: ((response: Res) => FlotillaError | undefined) | undefined;
  /** Releases a response that another attempt replaces: drains or cancels its body. Default: nothing to release. */
  readonly discard?: ((response: Res) => void) | undefined;
  /** Counts `flotilla_retries_total`. Default: nothing is counted. */
  readonly meter?: Meter | undefined;
  /** The label `target` of that metric. Default: empty. */
  readonly target?: string | undefined;
  /** Hears of each wish to try again, and what became of it. */
  readonly events?: PolicyEvents | undefined;
  /** The operation, for those events. */
  readonly operation?: string | undefined;
}

/**
 * Repeats what is safe to repeat; {@link isRepeatable} has the rules.
 * 1. Within a call that an outer layer may repeat (`call.attempt` is set) nothing is: only one layer retries.
 * 2. Each attempt that may be followed by another one is a child call. Only of an idempotent request it has a number: a
 *    command is repeated only if nobody began with it, so what fails further in is for the layers there to repeat. The
 *    last one runs in the call itself: nobody repeats it any more, so layers further in may again.
 * 3. A wait that would not leave `minRemainingMs` of the deadline, or of `timeoutMs`, is not begun: the failure is the answer. After an attempt
 *    that ran out of time a tenth of the time that was too little has to be left, too.
 * 4. The budget is asked last, and only for a retry that would otherwise happen.
 * 5. When all attempts fail the last failure is the answer, unless an earlier one admits more work done: a refused attempt does
 *    not undo one whose outcome is unknown.
 *
 * The call ends when the attempt whose answer is passed on ends, with its last byte.
 * @throws RangeError
 */
export function retry<Req, Res>(options: RetryOptions<Req, Res> = {}): Filter<Req, Res> {
  const policy = resolvePolicy(options);
  return (next) => (request, call) => {
    policy.budget.deposit(call.startedAt);
    const mayRepeat = policy.retries > 0 && call.attempt === undefined && policy.repeatable(request, call);
    return mayRepeat ? attemptNumber(1, call.startedAt, undefined, next, request, call, policy) : next(request, call);
  };
}

interface Policy<Req, Res> extends ResilienceSettings {
  readonly budget: RetryBudget;
  readonly idempotent: (request: Req, call: Call) => boolean;
  readonly repeatable: (request: Req, call: Call) => boolean;
  /** Absent: a response is never one. */
  readonly failure: ((response: Res) => FlotillaError | undefined) | undefined;
  readonly discard: (response: Res) => void;
  readonly counters: Counters;
  readonly told: (call: Call, kind: PolicyKinds['retry']) => void;
}

interface Counters {
  readonly repeated: Counter;
  readonly overBudget: Counter;
  readonly overDeadline: Counter;
}

function resolvePolicy<Req, Res>(options: RetryOptions<Req, Res>): Policy<Req, Res> {
  const settings = resolveResilience(options);
  const { events = nullEvents, target = '', operation } = options;
  return {
    ...settings,
    budget: options.budget ?? budgetOf(settings),
    idempotent: options.idempotent ?? isMarkedIdempotent,
    repeatable: options.repeatable ?? (() => true),
    failure: options.failure,
    discard: options.discard ?? (() => {}),
    told: (call, kind) => tell(events, call.clock, 'retry', kind, target, operation),
    counters: countersOf(options.meter ?? nullMeter, target),
  };
}

/** The budget that the settings describe. */
export function budgetOf(settings: ResilienceSettings): RetryBudget {
  return createRetryBudget({
    fraction: settings.retryBudgetFraction,
    perSecond: settings.retryBudgetPerSecond,
    windowMs: settings.retryBudgetWindowMs,
  });
}

function isMarkedIdempotent(_request: unknown, call: Call): boolean {
  return call.get(idempotentAttribute) === true;
}

function countersOf(meter: Meter, target: string): Counters {
  const family = meter.counter({
    name: 'flotilla_retries_total',
    help: 'Failed attempts that were safe to repeat, by what became of them.',
    labels: ['target', 'result'],
  });
  return {
    repeated: family.with({ target, result: 'repeated' }),
    overBudget: family.with({ target, result: 'over_budget' }),
    overDeadline: family.with({ target, result: 'over_deadline' }),
  };
}

/**
 * The attempt with that number, and those after it.
 * @param startedAt by the call's clock; the first one's is the call's own
 * @param before of the failures so far the one that admits most work done
 */
function attemptNumber<Req, Res>(
  number: number,
  startedAt: number,
  before: FlotillaError | undefined,
  next: Handler<Req, Res>,
  request: Req,
  call: Call,
  policy: Policy<Req, Res>,
): Promise<Res> {
  if (number > policy.retries) return lastAttempt(before, next, request, call);
  // In the span of its call: that is what a trace shows, and a peer below a span that nobody reports would stand apart.
  const attempt = attemptIn(call, policy.idempotent(request, call) ? number : undefined, startedAt);
  const answer = begin(next, request, attempt);
  if (!policy.failure && answer === attempt.told?.promise) {
    call.told = attempt.told; // all there is to know of it is what becomes of the attempts
    attempt.tells(new ToldAttempt(number, before, next, request, attempt, call, policy));
    return answer;
  }
  return answer.then(
    (response) => {
      const failure = policy.failure?.(response);
      const delayMs = failure && delayBeforeRetry(failure, request, attempt, call, number, policy);
      if (failure && delayMs !== undefined) {
        policy.discard(response);
        attempt.end(failure);
        return another(delayMs, number, moreDone(failure, before) as FlotillaError, next, request, call, policy);
      }
      attempt.endTogether();
      return response;
    },
    (thrown) => afterFailure(thrown, number, before, next, request, attempt, call, policy),
  );
}

/** Another attempt, if there may be one; else all has ended with what it rejects with. */
function afterFailure<Req, Res>(
  thrown: unknown,
  number: number,
  before: FlotillaError | undefined,
  next: Handler<Req, Res>,
  request: Req,
  attempt: Call,
  call: Call,
  policy: Policy<Req, Res>,
): Promise<Res> {
  const failure = toFlotillaError(thrown);
  const delayMs = delayBeforeRetry(failure, request, attempt, call, number, policy);
  if (delayMs !== undefined) {
    attempt.end(failure);
    return another(delayMs, number, moreDone(failure, before) as FlotillaError, next, request, call, policy);
  }
  const most = moreDone(thrown, before);
  endWith(most, attempt, call);
  return Promise.reject(most);
}

/** An attempt whose call tells all of its answer: nothing is made for it that only a failure needs. */
class ToldAttempt<Req, Res> implements EndWatcher {
  nextWatcher: EndWatcher | undefined;
  readonly #number: number;
  readonly #before: FlotillaError | undefined;
  readonly #next: Handler<Req, Res>;
  readonly #request: Req;
  readonly #attempt: Call;
  readonly #call: Call;
  readonly #policy: Policy<Req, Res>;

  constructor(
    number: number,
    before: FlotillaError | undefined,
    next: Handler<Req, Res>,
    request: Req,
    attempt: Call,
    call: Call,
    policy: Policy<Req, Res>,
  ) {
    this.nextWatcher = undefined;
    this.#number = number;
    this.#before = before;
    this.#next = next;
    this.#request = request;
    this.#attempt = attempt;
    this.#call = call;
    this.#policy = policy;
  }

  ended(outcome: Outcome): void {
    const { told } = this.#attempt;
    if (outcome && told) told.instead = this.#afterFailure(outcome);
    else this.#attempt.endTogether();
  }

  #afterFailure(error: FlotillaError): Promise<Res> {
    try {
      return afterFailure(
        error,
        this.#number,
        this.#before,
        this.#next,
        this.#request,
        this.#attempt,
        this.#call,
        this.#policy,
      );
    } catch (thrown) {
      endWith(thrown, this.#attempt, this.#call);
      return Promise.reject(thrown);
    }
  }
}

/** The attempt after the one with that number, when it is time. @param before the failure so far that admits most */
function another<Req, Res>(
  delayMs: number,
  number: number,
  before: FlotillaError,
  next: Handler<Req, Res>,
  request: Req,
  call: Call,
  policy: Policy<Req, Res>,
): Promise<Res> {
  return waitIn(call, delayMs).then(() =>
    attemptNumber(number + 1, call.clock.now(), before, next, request, call, policy),
  );
}

/** Nobody repeats it any more, so it needs no call of its own. */
function lastAttempt<Req, Res>(
  before: FlotillaError | undefined,
  next: Handler<Req, Res>,
  request: Req,
  call: Call,
): Promise<Res> {
  return begin(next, request, call).catch((thrown: unknown) => {
    const most = moreDone(thrown, before);
    call.end(toFlotillaError(most));
    throw most;
  });
}

/** @returns undefined when there is no other attempt. */
function delayBeforeRetry<Req, Res>(
  failure: FlotillaError,
  request: Req,
  attempt: Call,
  call: Call,
  number: number,
  policy: Policy<Req, Res>,
): number | undefined {
  if (call.cancelled || !isRepeatable(failure, policy.idempotent(request, call))) return undefined;
  const delayMs = backoffMs(number, policy, call.random, failure.retryAfterMs);
  const now = call.clock.now();
  const tookMs = now - attempt.startedAt;
  const leastMs = Math.max(
    policy.minRemainingMs,
    failure.code === 'DEADLINE_EXCEEDED' ? tookMs / 10 : Number.MIN_VALUE,
  );
  // A stream has no deadline by itself: what a callee says of its time must not hold it for longer than any other call.
  const leftMs = Math.min(call.deadline, call.startedAt + policy.timeoutMs) - now;
  if (leftMs - delayMs < leastMs) {
    policy.counters.overDeadline.add();
    policy.told(call, 'over_deadline');
    return undefined;
  }
  if (!policy.budget.withdraw(now)) {
    policy.counters.overBudget.add();
    policy.told(call, 'over_budget');
    return undefined;
  }
  policy.counters.repeated.add();
  policy.told(call, 'repeated');
  return delayMs;
}

async function waitIn(call: Call, delayMs: number): Promise<void> {
  try {
    await sleep(delayMs, call);
  } catch (reason) {
    endWith(reason, call, call);
    throw reason;
  }
}
