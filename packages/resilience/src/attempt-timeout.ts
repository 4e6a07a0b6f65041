import {
  type Call,
  type DeadlineEntry,
  type DeadlineWheel,
  type EndWatcher,
  type Filter,
  FlotillaError,
  instantOf,
  wheelOf,
} from '@flotilla/core';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { callersDeadline, type Guard, guarded, innerCall } from './inner-call.ts';
import { resolveResilience } from './settings.ts';

/** How long one attempt may take to answer. */
export interface AttemptTimeoutOptions<Req = never> {
  /** Milliseconds until the answer must have begun, also by the call. `Infinity`: no bound of its own. */
  readonly attemptTimeoutMs: number | ((request: Req, call: Call) => number);
  /** The instance that is asked, for events. Default empty. */
  readonly target?: string | undefined;
  /** Names the operation in events. */
  readonly operationOf?: ((request: Req, call: Call) => string) | undefined;
  readonly events?: PolicyEvents | undefined;
  /** As the endpoint inside says; see `Endpoint.toldByCall`. Default: of no request. */
  readonly toldByCall?: ((request: Req) => boolean) | undefined;
}

/**
 * Gives up on an attempt that has not begun to answer in time, so that another one may still fit into the call. Once
 * the answer has begun no other attempt can follow, and this filter's work is over: a stream may go on for as long as
 * the whole call lasts.
 *
 * Errors: DEADLINE_EXCEEDED; what is inside is cancelled with it.
 * @throws RangeError
 */
export function attemptTimeout<Req, Res>(options: AttemptTimeoutOptions<Req>): Filter<Req, Res> {
  const given = options.attemptTimeoutMs;
  const fixedMs =
    typeof given === 'function' ? undefined : resolveResilience({ attemptTimeoutMs: given }).attemptTimeoutMs;
  const { target = '', operationOf, events = nullEvents, toldByCall = never } = options;
  const report = (request: Req, attempt: Call, attemptTimeoutMs: number): void =>
    tell(events, attempt.clock, 'timeout', 'attempt_expired', target, operationOf?.(request, attempt), {
      attemptTimeoutMs,
    });
  const timeoutOf = typeof given === 'function' ? given : () => given;
  return (next) => (request, call) => {
    const attemptTimeoutMs = fixedMs ?? timeoutOf(request, call);
    const now = instantOf(call.clock);
    if (call.expendable && toldByCall(request)) {
      if (attemptTimeoutMs < call.deadline - now)
        call.tells(new Patience(request, call, now, attemptTimeoutMs, report));
      return next(request, call);
    }
    if (attemptTimeoutMs >= call.deadline - now) return guarded(next, request, call, call, callersDeadline);
    const inner = call.expendable ? call : innerCall(call, now);
    return guarded(next, request, inner, call, new Patience(request, inner, now, attemptTimeoutMs, report));
  };
}

type AttemptReport<Req> = (request: Req, attempt: Call, attemptTimeoutMs: number) => void;

function never(): boolean {
  return false;
}

/** Cancels an attempt that has not begun to answer in time. */
class Patience<Req> implements Guard, DeadlineEntry, EndWatcher {
  readonly deadline: number;
  previous: DeadlineEntry | undefined;
  next: DeadlineEntry | undefined;
  nextWatcher: EndWatcher | undefined;
  readonly #request: Req;
  readonly #attempt: Call;
  readonly #attemptTimeoutMs: number;
  readonly #report: AttemptReport<Req>;
  readonly #wheel: DeadlineWheel;

  constructor(request: Req, attempt: Call, now: number, attemptTimeoutMs: number, report: AttemptReport<Req>) {
    this.deadline = now + attemptTimeoutMs;
    this.previous = undefined;
    this.next = undefined;
    this.nextWatcher = undefined;
    this.#request = request;
    this.#attempt = attempt;
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#report = report;
    this.#wheel = wheelOf(attempt.clock);
    this.#wheel.add(this);
  }

  expire(): void {
    this.#report(this.#request, this.#attempt, this.#attemptTimeoutMs);
    this.#attempt.cancel(expired(this.#attemptTimeoutMs));
  }

  settled(): void {
    this.#wheel.remove(this);
  }

  /** Of an attempt whose call tells all: it was answered, or failed. */
  ended(): void {
    this.#wheel.remove(this);
  }

  failure(thrown: unknown): unknown {
    return thrown;
  }
}

function expired(attemptTimeoutMs: number): FlotillaError {
  return new FlotillaError(
    'DEADLINE_EXCEEDED',
    `the attempt had no answer within ${attemptTimeoutMs} ms; see attemptTimeoutMs`,
  );
}
