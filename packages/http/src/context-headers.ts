import {
  type Attribute,
  attribute,
  Call,
  type Clock,
  childTrace,
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
import { formatUrgency, readUrgency } from './priority-field.ts';
import { only, readTimeoutMs, replace, writeTimeoutMs } from './timeout-fields.ts';

/** The span of the peer under which a call that came in was made; absent when the trace begins here. */
export const peerSpanAttribute: Attribute<string> = attribute('peerSpan');

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
 * Makes the call for a request that came in. Whatever is absent, repeated or not well formed is ignored: the call then
 * has the default. The trace goes on with a new span whose parent is the peer's ({@link peerSpanAttribute}).
 * A gateway removes what strangers may not set before it calls this.
 *
 * The call has to be ended by whoever sends the last byte of the answer.
 */
export function readContext(headers: HttpHeaders, needs: { readonly clock: Clock; readonly random: Random }): Call {
  const timeoutMs = readTimeoutMs(headers);
  const peerTrace = readTrace(headers);
  const baggage = headers.get('baggage');
  const priority = headers.get('priority');
  const idempotencyKey = readIdempotencyKey(only(headers, 'idempotency-key'));
  const attempt = readAttempt(only(headers, 'flotilla-attempt'));
  const call = new Call({
    clock: needs.clock,
    random: needs.random,
    deadline: timeoutMs === undefined ? undefined : needs.clock.now() + timeoutMs,
    trace: peerTrace && childTrace(peerTrace, needs.random),
    baggage: baggage === undefined ? undefined : parseBaggage(baggage),
    urgency: priority === undefined ? undefined : readUrgency(priority),
    idempotencyKey,
    attempt,
  });
  if (peerTrace) call.set(peerSpanAttribute, peerTrace.spanId);
  return call;
}

function readTrace(headers: HttpHeaders): TraceContext | undefined {
  const parent = only(headers, 'traceparent');
  return parent === undefined ? undefined : parseTraceparent(parent, readTracestate(headers.get('tracestate')));
}
