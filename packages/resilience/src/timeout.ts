import { type Call, type Filter, FlotillaError, type Handler, within } from '@flotilla/core';
import { endWith, handOver, innerCall } from './inner-call.ts';
import { resolveResilience, tooLate } from './settings.ts';

/** How long a whole call may take. */
export interface TimeoutOptions {
  /** Milliseconds from the call's start to its last byte. `Infinity`: only the caller's own deadline. */
  readonly timeoutMs: number;
  /** A call with less than this left is refused before it starts. Default 5; 0: never. */
  readonly minRemainingMs?: number;
}

/**
 * Bounds the whole call: all attempts, the waits between them, and the answer to its last byte. A sooner deadline of
 * the caller stays. What is inside learns of the end through its call; the caller is answered in any case.
 *
 * Errors: DEADLINE_EXCEEDED, with `executed: 'no'` when too little time was left to start.
 * @throws RangeError
 */
export function timeout<Req, Res>(options: TimeoutOptions): Filter<Req, Res> {
  const { timeoutMs, minRemainingMs } = resolveResilience(options);
  return (next) => (request, call) => {
    const now = call.clock.now();
    const remainingMs = call.deadline - now;
    if (remainingMs < minRemainingMs) return refuse(call, tooLate(Math.max(0, remainingMs), minRemainingMs));
    return run(next, request, call, timeoutMs < remainingMs ? innerCall(call, now, now + timeoutMs) : call, timeoutMs);
  };
}

async function run<Req, Res>(
  next: Handler<Req, Res>,
  request: Req,
  call: Call,
  inner: Call,
  timeoutMs: number,
): Promise<Res> {
  try {
    const response = await within(inner, next(request, inner));
    handOver(inner, call);
    return response;
  } catch (thrown) {
    const ownDeadline = inner !== call && thrown === inner.cancelled && !call.cancelled;
    const error = ownDeadline ? expired(timeoutMs, thrown) : thrown;
    endWith(error, inner, call);
    throw error;
  }
}

function refuse(call: Call, error: FlotillaError): Promise<never> {
  call.end(error);
  return Promise.reject(error);
}

function expired(timeoutMs: number, cause: unknown): FlotillaError {
  return new FlotillaError('DEADLINE_EXCEEDED', `no answer within ${timeoutMs} ms; see timeoutMs`, { cause });
}
