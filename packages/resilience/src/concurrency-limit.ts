import { begin, type Call, type Filter, FlotillaError } from '@flotilla/core';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { resolveResilience } from './settings.ts';

/** A cap on concurrent work. */
export interface ConcurrencyLimitOptions<Req = never> {
  /** What is protected, for the message: `orders at 10.0.0.7:8080`. */
  readonly name: string;
  /** Calls in flight until their last byte, also as it is now. Default 1,000; `Infinity`: no cap. */
  readonly maxConcurrent?: number | (() => number) | undefined;
  /**
   * Every call that fails is ended by somebody: by the endpoint, or by a filter around, as timeout and retry do. Then nothing watches the answers.
   * Default false: a call that fails gives its place back in any case.
   */
  readonly callsEnd?: boolean | undefined;
  /** Names the operation in events. */
  readonly operationOf?: ((request: Req, call: Call) => string) | undefined;
  readonly events?: PolicyEvents | undefined;
}

/**
 * Refuses the call that would be one too many (a bulkhead): nobody queues for a callee that has stalled. Each handler
 * that is wrapped has a count of its own; a call counts until it has ended, streams to their last element.
 *
 * Errors: UNAVAILABLE, never executed: a retry may go to another instance.
 * @throws RangeError
 */
export function concurrencyLimit<Req, Res>(options: ConcurrencyLimitOptions<Req>): Filter<Req, Res> {
  const { name, operationOf, events = nullEvents } = options;
  const given = options.maxConcurrent;
  const fixed = typeof given === 'function' ? undefined : resolveResilience({ maxConcurrent: given }).maxConcurrent;
  const limit = typeof given === 'function' ? given : () => fixed ?? Infinity;
  return (next) => {
    let inFlight = 0; // Invariant: 0 <= inFlight, and nobody enters above the limit
    const leaveOnce = (): void => {
      inFlight--;
    };
    return (request, call) => {
      const maxConcurrent = fixed ?? limit();
      if (inFlight >= maxConcurrent) {
        tell(events, call.clock, 'concurrencyLimit', 'refused', name, operationOf?.(request, call), { maxConcurrent });
        const error = refusal(name, maxConcurrent);
        call.end(error);
        return Promise.reject(error);
      }
      inFlight++;
      if (options.callsEnd) {
        call.onEnd(leaveOnce);
        return next(request, call);
      }
      let counted = true;
      const leave = (): void => {
        if (counted) inFlight--;
        counted = false;
      };
      call.onEnd(leave);
      const answer = begin(next, request, call);
      answer.catch(leave); // beside it: an answer need not wait for who only counts
      return answer;
    };
  };
}

function refusal(name: string, maxConcurrent: number): FlotillaError {
  return new FlotillaError(
    'UNAVAILABLE',
    `"${name}" has ${maxConcurrent} calls in flight, as many as maxConcurrent allows; it answers too slowly for its load`,
  );
}
