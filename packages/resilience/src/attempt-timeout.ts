import { type Call, type Filter, FlotillaError, type Handler, wheelOf, within } from '@flotilla/core';
import { endWith, handOver, innerCall } from './inner-call.ts';
import { resolveResilience } from './settings.ts';

/** How long one attempt may take to answer. */
export interface AttemptTimeoutOptions {
  /** Milliseconds until the answer must have begun. `Infinity`: no bound of its own. */
  readonly attemptTimeoutMs: number;
}

/**
 * Gives up on an attempt that has not begun to answer in time, so that another one may still fit into the call. Once
 * the answer has begun no other attempt can follow, and this filter's work is over: a stream may go on for as long as
 * the whole call lasts.
 *
 * Errors: DEADLINE_EXCEEDED; what is inside is cancelled with it.
 * @throws RangeError
 */
export function attemptTimeout<Req, Res>(options: AttemptTimeoutOptions): Filter<Req, Res> {
  const { attemptTimeoutMs } = resolveResilience(options);
  return (next) => (request, call) => {
    const now = call.clock.now();
    if (attemptTimeoutMs >= call.deadline - now) return next(request, call);
    return run(next, request, call, now, attemptTimeoutMs);
  };
}

async function run<Req, Res>(
  next: Handler<Req, Res>,
  request: Req,
  call: Call,
  now: number,
  attemptTimeoutMs: number,
): Promise<Res> {
  const inner = innerCall(call, now);
  const wheel = wheelOf(call.clock);
  const entry = {
    deadline: now + attemptTimeoutMs,
    expire: () => inner.cancel(expired(attemptTimeoutMs)),
  };
  wheel.add(entry);
  try {
    const response = await within(inner, next(request, inner));
    handOver(inner, call);
    return response;
  } catch (thrown) {
    endWith(thrown, inner, call);
    throw thrown;
  } finally {
    wheel.remove(entry);
  }
}

function expired(attemptTimeoutMs: number): FlotillaError {
  return new FlotillaError(
    'DEADLINE_EXCEEDED',
    `the attempt had no answer within ${attemptTimeoutMs} ms; see attemptTimeoutMs`,
  );
}
