import { type Call, type Filter, type FlotillaError, toFlotillaError } from '@flotilla/core';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { judgeCall } from './judge-call.ts';

/** What is answered when a call failed. */
export interface FallbackOptions<Req, Res> {
  /** Gives the answer instead; what it throws is the answer then. */
  readonly answer: (error: FlotillaError, request: Req, call: Call) => Res | Promise<Res>;
  /** Which failures it is for. Default: {@link isOutage}. */
  readonly when?: ((error: FlotillaError) => boolean) | undefined;
  readonly target: string;
  readonly operation?: string | undefined;
  readonly events?: PolicyEvents | undefined;
}

/** Nobody could answer: neither the caller's mistake, nor an answer that the contract knows, nor a call given up. */
export function isOutage(error: FlotillaError): boolean {
  return judgeCall(error) === 'failure' || outages.has(error.code);
}

/** Refusals of our own policies and of the service's, which {@link judgeCall} rightly does not count against it. */
const outages: ReadonlySet<string> = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'NO_INSTANCE', 'DEADLINE_EXCEEDED']);

/**
 * Answers otherwise when nobody could. The call itself ends with the failure: metrics and traces show what happened, the
 * caller gets something to go on with. A call that was given up gets no fallback.
 */
export function fallback<Req, Res>(options: FallbackOptions<Req, Res>): Filter<Req, Res> {
  const { answer, when = isOutage, target, operation, events = nullEvents } = options;
  return (next) => async (request, call) => {
    try {
      return await next(request, call);
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      if (error.code === 'CANCELLED' || !when(error)) throw thrown;
      try {
        const instead = await answer(error, request, call);
        tell(events, call.clock, 'fallback', 'used', target, operation);
        return instead;
      } catch (failure) {
        tell(events, call.clock, 'fallback', 'failed', target, operation);
        throw failure;
      }
    }
  };
}
