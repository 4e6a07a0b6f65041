import { Call, type InnerCallOptions, toFlotillaError } from '@flotilla/core';

/**
 * A call inside `call` that differs in its deadline only. Unlike `call.child()` it stays in the same span: a filter
 * is no work that anybody wants to see in a trace, and a span that nobody reports would break the trace in two.
 * @param startedAt now, by the call's clock
 */
export function innerCall(call: Call, startedAt: number, deadline?: number): Call {
  return callIn(call, deadline, call.attempt, startedAt, false);
}

/** A call for one attempt, in the span of the call around it. The key names the command, which stays the same one. */
export function attemptIn(call: Call, attempt: number | undefined, startedAt: number): Call {
  return callIn(call, undefined, attempt, startedAt, true);
}

/** Says all that there is to say, as `call.child()` does: options of one shape are read quickly. */
function callIn(
  call: Call,
  deadline: number | undefined,
  attempt: number | undefined,
  startedAt: number,
  expendable: boolean,
): Call {
  const { trace, baggage, urgency, idempotencyKey } = call;
  const options: InnerCallOptions = {
    deadline,
    trace,
    baggage,
    urgency,
    attempt,
    idempotencyKey,
    startedAt,
    expendable,
    attributes: undefined,
  };
  return new Call(options, call);
}

/** What watches over the answer to an inner call. */
export interface Guard {
  /** The answer has begun, or will not come. Called once. */
  settled(): void;
  /** What the caller is told instead of what was thrown. */
  failure(thrown: unknown, inner: Call): unknown;
}

/** Nothing is turned: the deadline was set further out. */
export const callersDeadline: Guard = { settled() {}, failure: (thrown) => thrown };

/**
 * The answer in `inner`, but no later than that is cancelled: then the reason. With an answer `inner` and `call` end
 * together from here on; with a failure both have ended. It makes one promise, where waiting for it with `await` makes three.
 */
export function guarded<Res>(answer: Promise<Res>, inner: Call, call: Call, guard: Guard): Promise<Res> {
  return new Promise((resolve, reject) => {
    let waiting = true;
    const failed = (thrown: unknown): void => {
      if (!waiting) return;
      waiting = false;
      guard.settled();
      const error = guard.failure(thrown, inner);
      endWith(error, inner, call);
      reject(error);
    };
    const answered = (response: Res): void => {
      if (!waiting) return;
      waiting = false;
      guard.settled();
      if (inner !== call) inner.endTogether();
      resolve(response);
    };
    answer.then(answered, failed);
    inner.cancels({ cancel: failed });
  });
}

/** As {@link guarded}, where the answer itself fails as soon as `inner` is cancelled: it needs no promise of its own. */
export function watched<Res>(answer: Promise<Res>, inner: Call, call: Call, guard: Guard): Promise<Res> {
  return answer.then(
    (response) => {
      guard.settled();
      if (inner !== call) inner.endTogether();
      return response;
    },
    (thrown) => {
      guard.settled();
      const error = guard.failure(thrown, inner);
      endWith(error, inner, call);
      throw error;
    },
  );
}

/** Ends both with what was thrown. */
export function endWith(thrown: unknown, inner: Call, call: Call): void {
  const error = toFlotillaError(thrown);
  inner.end(error);
  call.end(error);
}
