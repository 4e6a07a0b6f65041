import { Call, type Clock, defaultUrgency, FlotillaError, type Random } from '@flotilla/core';
import { type CallMaker, type HttpRequest, peerSpanAttribute, readContext } from '@flotilla/http';
import { passedKey } from './loop-guard.ts';

/** What of a trusted peer's context is continued, besides trace, baggage, deadline and attempt. */
interface Continued {
  /** A priority above the default; one below it always is. */
  readonly priority: boolean;
}

interface Needs {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes calls for a listener that strangers can reach: nothing that they send decides about trace, tenant, priority or
 * deadline. Give it to the network of a gateway as `makeCall`; a network that reads context itself would already obey
 * a stranger's deadline before the gateway is asked.
 */
export function outsideCalls({ clock, random }: Needs): CallMaker {
  return () => new Call({ clock, random });
}

/**
 * The call for everything that the gateway does for a request: a new one, or, for a trusted peer whose context is
 * trusted too, the continuation of its own. It is cancelled when `outer` is and ends when `outer` does.
 * @param outer the call that the listener made: it lasts until the last byte is with the client
 * @param continued what of a trusted peer's context counts; undefined: nothing
 * @param passed what of the request passed gateways, this one included: it goes on with it
 */
export function beginCall(
  request: HttpRequest,
  outer: Call,
  continued: Continued | undefined,
  passed: readonly string[],
  needs: Needs,
): Call {
  const call = callFor(request, continued, passed, { ...needs, startedAt: outer.startedAt });
  outer.onCancel((reason) => call.cancel(reason));
  outer.onEnd((outcome) => {
    if (call.ended) return;
    // Still running although the client has its answer: an upload or an upstream that nobody waits for any more.
    call.cancel(outcome ?? new FlotillaError('CANCELLED', 'the answer is complete'));
    call.end(outcome);
  });
  return call;
}

/** A WebSocket outlives the patience of whoever opened it: its deadline is not continued. */
function callFor(
  { headers, upgrade }: HttpRequest,
  continued: Continued | undefined,
  passed: readonly string[],
  needs: Needs & { readonly startedAt: number },
): Call {
  // First, because what is over the limits of a baggage is cut at its end.
  const baggage = new Map([[passedKey, passed.join('.')]]);
  if (!continued) return new Call({ ...needs, baggage });
  const read = readContext(headers, needs);
  read.end(); // only read from: a call keeps its baggage as it was made
  for (const [key, value] of read.baggage) if (key !== passedKey) baggage.set(key, value);
  const urgency = continued.priority ? read.urgency : Math.max(read.urgency, defaultUrgency);
  const { trace, attempt, idempotencyKey, deadline } = read;
  const call = new Call({
    ...needs,
    trace,
    urgency,
    baggage,
    ...(upgrade ? undefined : { deadline }),
    ...(attempt === undefined ? undefined : { attempt }),
    ...(idempotencyKey === undefined ? undefined : { idempotencyKey }),
  });
  const peerSpan = read.get(peerSpanAttribute);
  if (peerSpan !== undefined) call.set(peerSpanAttribute, peerSpan);
  return call;
}
