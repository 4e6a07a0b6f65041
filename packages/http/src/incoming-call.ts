import {
  type Attribute,
  attribute,
  type Baggage,
  Call,
  type Clock,
  childTrace,
  type Random,
  type TraceContext,
} from '@flotilla/core';

/** The span of the peer under which a call that came in was made; absent when the trace begins here. */
export const peerSpanAttribute: Attribute<string> = attribute('peerSpan');

/** What a peer says of a request, however it was written: fields of HTTP, an entry of RSocket. `undefined`: it says nothing of it. */
export interface IncomingContext {
  /** How long the peer waits for the answer from now on, at most a day. */
  readonly timeoutMs: number | undefined;
  /** Its trace and its own span. */
  readonly trace: TraceContext | undefined;
  readonly baggage: Baggage | undefined;
  readonly urgency: number | undefined;
  readonly attempt: number | undefined;
  readonly idempotencyKey: string | undefined;
}

/**
 * The call for a request that came in: the one place where what a peer says becomes what a call is, over every transport.
 * - The deadline is so many milliseconds from now on this clock; who says nothing gives none.
 * - The trace goes on with a new span whose parent is the peer's ({@link peerSpanAttribute}); else it begins here.
 * - Baggage, the tenant in it, urgency, attempt and idempotency key are the peer's; else the default of a call.
 *
 * It has to be ended by whoever sends the last byte of the answer.
 */
export function incomingCall(
  { timeoutMs, trace, baggage, urgency, attempt, idempotencyKey }: IncomingContext,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Call {
  const startedAt = clock.now();
  const call = new Call({
    clock,
    random,
    deadline: timeoutMs === undefined ? undefined : startedAt + timeoutMs,
    trace: trace && childTrace(trace, random),
    baggage,
    urgency,
    idempotencyKey,
    attempt,
    startedAt,
  });
  if (trace) call.set(peerSpanAttribute, trace.spanId);
  return call;
}
