import { Call, type Clock, FlotillaError, type Random } from '@flotilla/core';
import { type CallMaker, type HttpRequest, readContext } from '@flotilla/http';

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
 */
export function beginCall(request: HttpRequest, outer: Call, continued: boolean, needs: Needs): Call {
  const call = continued ? continuedCall(request, needs) : new Call(needs);
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
function continuedCall({ headers, upgrade }: HttpRequest, needs: Needs): Call {
  const call = readContext(headers, needs);
  if (!upgrade) return call;
  const { trace, baggage, urgency } = call;
  call.end();
  return new Call({ ...needs, trace, baggage, urgency });
}
