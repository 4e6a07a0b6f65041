import type { FlotillaError, Meter } from '@flotilla/core';
import { answerFailure, type HttpResponse } from '@flotilla/http';
import { retry } from '@flotilla/resilience';
import { leaveBody } from '../body-tap.ts';
import type { HttpFilter } from './http-filter.ts';

/** What a route says about retries. */
export interface SafeRetryOptions {
  /** Tries in all, the first one included. */
  readonly attempts: number;
  /** Methods that may be tried again, whatever became of the first try. */
  readonly methods: readonly string[];
  /** Id of the route, for metrics. */
  readonly target: string;
  readonly meter: Meter;
}

/** An upstream that wants us to wait longer gets no second try: its answer is passed on, with its `retry-after`. */
const longestRetryAfterMs = 1_000;

/**
 * Repeats requests of the given methods that have no body: a body streams through and is gone. It happens only before
 * the head of an answer was passed on, within the budget of the route, and not inside a request that another layer
 * repeats. An answer 502, 503 or 504 counts as a failure; the last one is passed on as it is.
 */
export function retrySafely({ attempts, methods, target, meter }: SafeRetryOptions): HttpFilter {
  return retry({
    retries: attempts - 1,
    repeatable: (request) => request.body === undefined && methods.includes(request.method),
    // Whoever listed the method said so. A handshake is repeated only if it certainly was not taken.
    idempotent: (request) => request.upgrade === undefined,
    failure,
    discard: ({ body }) => leaveBody(body),
    target,
    meter,
  });
}

function failure(response: HttpResponse): FlotillaError | undefined {
  if (response.status === 429) return undefined; // what the caller has used up is the caller's affair
  const error = answerFailure(response);
  return error && (error.retryAfterMs ?? 0) <= longestRetryAfterMs ? error : undefined;
}
