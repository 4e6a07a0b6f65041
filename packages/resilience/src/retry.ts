import {
  type Call,
  type Counter,
  type Filter,
  type FlotillaError,
  type Handler,
  idempotentAttribute,
  type Meter,
  nullMeter,
  sleep,
  toFlotillaError,
} from '@flotilla/core';
import { endWith, handOver } from './inner-call.ts';
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
}

/**
 * Repeats what is safe to repeat; {@link isRepeatable} has the rules.
 * 1. Within a call that an outer layer may repeat (`call.attempt` is set) nothing is: only one layer retries.
 * 2. Each attempt that may be followed by another one is a child call. Only of an idempotent request it has a number: a
 *    command is repeated only if nobody began with it, so what fails further in is for the layers there to repeat. The
 *    last one runs in the call itself: nobody repeats it any more, so layers further in may again.
 * 3. A wait that would not leave `minRemainingMs` of the deadline is not begun: the failure is the answer.
 * 4. The budget is asked last, and only for a retry that would otherwise happen.
 *
 * The call ends when the attempt whose answer is passed on ends, with its last byte.
 * @throws RangeError
 */
export function retry<Req, Res>(options: RetryOptions<Req, Res> = {}): Filter<Req, Res> {
  const policy = resolvePolicy(options);
  return (next) => (request, call) => {
    policy.budget.deposit(call.clock.now());
    const mayRepeat = policy.retries > 0 && call.attempt === undefined && policy.repeatable(request, call);
    return mayRepeat ? attemptRepeatedly(next, request, call, policy) : next(request, call);
  };
}

interface Policy<Req, Res> extends ResilienceSettings {
  readonly budget: RetryBudget;
  readonly idempotent: (request: Req, call: Call) => boolean;
  readonly repeatable: (request: Req, call: Call) => boolean;
  readonly failure: (response: Res) => FlotillaError | undefined;
  readonly discard: (response: Res) => void;
  readonly counters: Counters;
}

interface Counters {
  readonly repeated: Counter;
  readonly overBudget: Counter;
  readonly overDeadline: Counter;
}

function resolvePolicy<Req, Res>(options: RetryOptions<Req, Res>): Policy<Req, Res> {
  const settings = resolveResilience(options);
  return {
    ...settings,
    budget: options.budget ?? budgetOf(settings),
    idempotent: options.idempotent ?? isMarkedIdempotent,
    repeatable: options.repeatable ?? (() => true),
    failure: options.failure ?? (() => undefined),
    discard: options.discard ?? (() => {}),
    counters: countersOf(options.meter ?? nullMeter, options.target ?? ''),
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

async function attemptRepeatedly<Req, Res>(
  next: Handler<Req, Res>,
  request: Req,
  call: Call,
  policy: Policy<Req, Res>,
): Promise<Res> {
  for (let number = 1; ; number++) {
    const last = number > policy.retries;
    const attempt = last ? call : attemptCall(call, policy.idempotent(request, call) ? number : undefined);
    const result = await settleAttempt(next, request, attempt, policy);
    const delayMs =
      last || !result.failure ? undefined : delayBeforeRetry(result.failure, request, call, number, policy);
    if (delayMs === undefined) return passOn(result, attempt, call);
    if (result.kind === 'answered') policy.discard(result.response);
    attempt.end(result.failure);
    await waitIn(call, delayMs);
  }
}

/** The key names the command, which stays the same one in every attempt. */
function attemptCall(call: Call, attempt: number | undefined): Call {
  const { idempotencyKey } = call;
  return call.child({
    ...(attempt === undefined ? undefined : { attempt }),
    ...(idempotencyKey === undefined ? undefined : { idempotencyKey }),
  });
}

type AttemptResult<Res> =
  | { readonly kind: 'answered'; readonly response: Res; readonly failure: FlotillaError | undefined }
  | { readonly kind: 'threw'; readonly thrown: unknown; readonly failure: FlotillaError };

async function settleAttempt<Req, Res>(
  next: Handler<Req, Res>,
  request: Req,
  attempt: Call,
  policy: Policy<Req, Res>,
): Promise<AttemptResult<Res>> {
  try {
    const response = await next(request, attempt);
    return { kind: 'answered', response, failure: policy.failure(response) };
  } catch (thrown) {
    return { kind: 'threw', thrown, failure: toFlotillaError(thrown) };
  }
}

/** @returns undefined when there is no other attempt. */
function delayBeforeRetry<Req, Res>(
  failure: FlotillaError,
  request: Req,
  call: Call,
  number: number,
  policy: Policy<Req, Res>,
): number | undefined {
  if (call.cancelled || !isRepeatable(failure, policy.idempotent(request, call))) return undefined;
  const delayMs = backoffMs(number, policy, call.random, failure.retryAfterMs);
  if (call.remainingMs - delayMs < Math.max(policy.minRemainingMs, Number.MIN_VALUE)) {
    policy.counters.overDeadline.add();
    return undefined;
  }
  if (!policy.budget.withdraw(call.clock.now())) {
    policy.counters.overBudget.add();
    return undefined;
  }
  policy.counters.repeated.add();
  return delayMs;
}

function passOn<Res>(result: AttemptResult<Res>, attempt: Call, call: Call): Res {
  if (result.kind === 'answered') {
    handOver(attempt, call);
    return result.response;
  }
  endWith(result.thrown, attempt, call);
  throw result.thrown;
}

async function waitIn(call: Call, delayMs: number): Promise<void> {
  try {
    await sleep(delayMs, call);
  } catch (reason) {
    endWith(reason, call, call);
    throw reason;
  }
}
