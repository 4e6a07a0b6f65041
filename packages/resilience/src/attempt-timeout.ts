import {
  begin,
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
  const { target = '', operationOf, events = nullEvents } = options;
  const report = (request: Req, attempt: Call, attemptTimeoutMs: number): void =>
    tell(events, attempt.clock, 'timeout', 'attempt_expired', target, operationOf?.(request, attempt), {
      attemptTimeoutMs,
    });
  const timeoutOf = typeof given === 'function' ? given : () => given;
  return (next) => (request, call) => {
    const attemptTimeoutMs = fixedMs ?? timeoutOf(request, call);
    const now = instantOf(call.clock);
    if (attemptTimeoutMs >= call.deadline - now) {
      const answer = begin(next, request, call);
      return answer === call.told?.promise ? answer : guarded(answer, call, call, callersDeadline);
    }
    const attempt = call.expendable ? call : innerCall(call, now);
    const patience = new Patience(request, attempt, now, attemptTimeoutMs, report);
    const answer = begin(next, request, attempt);
    if (answer !== call.told?.promise) return guarded(answer, attempt, call, patience);
    attempt.tells(patience);
    return answer;
  };
}

type AttemptReport<Req> = (request: Req, attempt: Call, attemptTimeoutMs: number) => void;

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

  /** Of an attempt whose call tells all of its answer. */
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
