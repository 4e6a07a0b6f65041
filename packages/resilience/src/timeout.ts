import { begin, type Call, type Filter, FlotillaError, instantOf } from '@flotilla/core';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { callersDeadline, type Guard, guarded, innerCall, watched } from './inner-call.ts';
import { resolveResilience, tooLate } from './settings.ts';

/** How long a whole call may take. */
export interface TimeoutOptions {
  /** Milliseconds from the call's start to its last byte. `Infinity`: only the caller's own deadline. */
  readonly timeoutMs: number;
  /** A call with less than this left is refused before it starts. Default 5; 0: never. */
  readonly minRemainingMs?: number;
  /**
   * What is inside rejects as soon as its call is cancelled, as a cluster does whose instances stand behind
   * `attemptTimeout`. Then nothing else has to answer in its place. Default false.
   */
  readonly prompt?: boolean | undefined;
  /** What is called, for events. Default empty. */
  readonly target?: string | undefined;
  readonly operation?: string | undefined;
  readonly events?: PolicyEvents | undefined;
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
  const { target = '', operation, events = nullEvents } = options;
  const guard: Guard = {
    settled() {},
    failure(thrown, inner) {
      if (!isOwnDeadline(thrown, inner)) return thrown;
      tell(events, inner.clock, 'timeout', 'expired', target, operation, { timeoutMs });
      return expired(timeoutMs, thrown);
    },
  };
  const watch = options.prompt ? watched : guarded;
  const late = ({ clock }: Call): FlotillaError => {
    tell(events, clock, 'timeout', 'expired', target, operation, { timeoutMs });
    return expired(timeoutMs);
  };
  return (next) => (request, call) => {
    const now = instantOf(call.clock);
    const remainingMs = call.deadline - now;
    if (remainingMs < minRemainingMs) {
      const leftMs = Math.max(0, remainingMs);
      tell(events, call.clock, 'timeout', 'refused', target, operation, { leftMs });
      return refuse(call, tooLate(leftMs, minRemainingMs));
    }
    if (options.prompt && call.expendable) {
      // What is inside rejects with what the call is cancelled with: nothing is left to be waited for.
      call.narrow(now + timeoutMs, late);
      return next(request, call);
    }
    if (timeoutMs < remainingMs) {
      const inner = innerCall(call, now, now + timeoutMs);
      return watch(begin(next, request, inner), inner, call, guard);
    }
    return watch(begin(next, request, call), call, call, callersDeadline);
  };
}

function isOwnDeadline(thrown: unknown, inner: Call): boolean {
  return thrown === inner.cancelled && inner.cancelled?.code === 'DEADLINE_EXCEEDED' && !inner.parent?.cancelled;
}

function refuse(call: Call, error: FlotillaError): Promise<never> {
  call.end(error);
  return Promise.reject(error);
}

function expired(timeoutMs: number, cause?: unknown): FlotillaError {
  return new FlotillaError('DEADLINE_EXCEEDED', `no answer within ${timeoutMs} ms; see timeoutMs`, { cause });
}
