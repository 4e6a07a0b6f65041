import { Call, type CallOptions, toFlotillaError } from '@flotilla/core';

/**
 * A call inside `call` that differs in its deadline only. Unlike `call.child()` it stays in the same span: a filter
 * is no work that anybody wants to see in a trace, and a span that nobody reports would break the trace in two.
 * @param startedAt now, by the call's clock
 */
export function innerCall(call: Call, startedAt: number, deadline: number = call.deadline): Call {
  const options: CallOptions = {
    clock: call.clock,
    random: call.random,
    deadline: Math.min(deadline, call.deadline),
    trace: call.trace,
    baggage: call.baggage,
    urgency: call.urgency,
    attempt: call.attempt,
    idempotencyKey: call.idempotencyKey,
    startedAt,
  };
  return new Call(options, call);
}

/** Both end together from here on: the answer that `inner` got is the answer to `call`. */
export function handOver(inner: Call, call: Call): void {
  if (inner === call) return;
  inner.onEnd((outcome) => call.end(outcome));
  call.onEnd((outcome) => inner.end(outcome));
}

/** Ends both with what was thrown. */
export function endWith(thrown: unknown, inner: Call, call: Call): void {
  const error = toFlotillaError(thrown);
  inner.end(error);
  call.end(error);
}
