import {
  type Call,
  type Clock,
  defaultUrgency,
  formatBaggage,
  formatTraceparent,
  parseBaggage,
  parseTraceparent,
  type Random,
  type TraceContext,
} from '@flotilla/core';
import {
  checkedIdempotencyKey,
  formatAttempt,
  readAttempt,
  readIdempotencyKey,
  readTracestate,
  tellableTimeoutMs,
} from './context-rules.ts';
import type { HttpHeaders } from './headers.ts';
import { type IncomingContext, incomingCall } from './incoming-call.ts';
import { formatUrgency, readUrgency } from './priority-field.ts';
import { only, readTimeoutMs, replace, writeTimeoutMs } from './timeout-fields.ts';

/**
 * Writes what travels with a call into the fields of a request that is about to be sent:
 * `traceparent`, `tracestate` (W3C Trace Context), `baggage` (W3C Baggage; the tenant is its member
 * `flotilla.tenant`), `priority` (RFC 9218, only when it is not the default), `flotilla-timeout-ms` (what is left,
 * less 10 ms), `idempotency-key`, `flotilla-attempt`. Fields of an earlier hop are replaced; only an
 * `idempotency-key` stays when the call has none, because it belongs to the request.
 * `conformance/golden/context-headers.json` pins it.
 *
 * @throws FlotillaError DEADLINE_EXCEEDED, with `executed` no, when less than 5 ms are left
 * @throws FlotillaError INVALID_INPUT when the idempotency key is not 1 to 255 printable characters of ASCII
 */
export function writeContext(call: Call, headers: HttpHeaders): void {
  const timeoutMs = tellableTimeoutMs(call);
  replace(headers, 'traceparent', formatTraceparent(call.trace));
  replace(headers, 'tracestate', call.trace.state || undefined);
  replace(headers, 'baggage', formatBaggage(call.baggage) || undefined);
  replace(headers, 'priority', call.urgency === defaultUrgency ? undefined : formatUrgency(call.urgency));
  writeTimeoutMs(headers, timeoutMs);
  if (call.idempotencyKey !== undefined) headers.set('idempotency-key', checkedIdempotencyKey(call.idempotencyKey));
  replace(headers, 'flotilla-attempt', formatAttempt(call.attempt));
}

/**
 * Makes the call for a request that came in ({@link incomingCall}). Whatever is absent, repeated or not well formed is ignored:
 * the call then has the default. A gateway removes what strangers may not set before it calls this.
 *
 * The call has to be ended by whoever sends the last byte of the answer.
 */
export function readContext(headers: HttpHeaders, needs: { readonly clock: Clock; readonly random: Random }): Call {
  const baggage = headers.get('baggage');
  const priority = headers.get('priority');
  const context: IncomingContext = {
    timeoutMs: readTimeoutMs(headers),
    trace: readTrace(headers),
    baggage: baggage === undefined ? undefined : parseBaggage(baggage),
    urgency: priority === undefined ? undefined : readUrgency(priority),
    attempt: readAttempt(only(headers, 'flotilla-attempt')),
    idempotencyKey: readIdempotencyKey(only(headers, 'idempotency-key')),
  };
  return incomingCall(context, needs);
}

function readTrace(headers: HttpHeaders): TraceContext | undefined {
  const parent = only(headers, 'traceparent');
  return parent === undefined ? undefined : parseTraceparent(parent, readTracestate(headers.get('tracestate')));
}
