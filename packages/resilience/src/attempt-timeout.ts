import { type Call, type DeadlineEntry, type DeadlineWheel, type Filter, FlotillaError, wheelOf } from '@flotilla/core';
import { callersDeadline, type Guard, guarded, innerCall } from './inner-call.ts';
import { resolveResilience } from './settings.ts';

/** How long one attempt may take to answer. */
export interface AttemptTimeoutOptions<Req = never> {
  /** Milliseconds until the answer must have begun, also by the call. `Infinity`: no bound of its own. */
  readonly attemptTimeoutMs: number | ((request: Req, call: Call) => number);
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
  const timeoutOf = typeof given === 'function' ? given : () => given;
  return (next) => (request, call) => {
    const attemptTimeoutMs = fixedMs ?? timeoutOf(request, call);
    const now = call.clock.now();
    if (attemptTimeoutMs >= call.deadline - now) return guarded(next, request, call, call, callersDeadline);
    const inner = call.expendable ? call : innerCall(call, now);
    return guarded(next, request, inner, call, new Patience(inner, now, attemptTimeoutMs));
  };
}

/** Cancels an attempt that has not begun to answer in time. */
class Patience implements Guard, DeadlineEntry {
  readonly deadline: number;
  previous: DeadlineEntry | undefined;
  next: DeadlineEntry | undefined;
  readonly #attempt: Call;
  readonly #attemptTimeoutMs: number;
  readonly #wheel: DeadlineWheel;

  constructor(attempt: Call, now: number, attemptTimeoutMs: number) {
    this.deadline = now + attemptTimeoutMs;
    this.previous = undefined;
    this.next = undefined;
    this.#attempt = attempt;
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#wheel = wheelOf(attempt.clock);
    this.#wheel.add(this);
  }

  expire(): void {
    this.#attempt.cancel(expired(this.#attemptTimeoutMs));
  }

  settled(): void {
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
