import {
  type Attribute,
  attribute,
  Call,
  type Clock,
  childTrace,
  defaultUrgency,
  FlotillaError,
  formatBaggage,
  formatTraceparent,
  parseBaggage,
  parseTraceparent,
  type Random,
  type TraceContext,
} from '@flotilla/core';
import type { HttpHeaders } from './headers.ts';
import { formatUrgency, readUrgency } from './priority-field.ts';
import { only, readTimeoutMs, replace, writeTimeoutMs } from './timeout-fields.ts';

/** Kept back from the time that a callee is told, so that its "too late" still reaches us in time. */
const answerMarginMs = 10;

/** With less time left than this a call is not sent: the answer could not arrive. */
const leastRemainingMs = 5;

const highestAttempt = 1_000;

/** Printable ASCII, at most 255 characters, no blank at the ends. */
const idempotencyKeyPattern = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

const tracestatePattern = /^[\t\x20-\x7e]{1,4096}$/;
const longestTracestate = 512;

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
  const remainingMs = call.remainingMs;
  if (remainingMs < leastRemainingMs) throw tooLate(remainingMs);
  replace(headers, 'traceparent', formatTraceparent(call.trace));
  replace(headers, 'tracestate', call.trace.state || undefined);
  replace(headers, 'baggage', formatBaggage(call.baggage) || undefined);
  replace(headers, 'priority', call.urgency === defaultUrgency ? undefined : formatUrgency(call.urgency));
  writeTimeoutMs(headers, Math.max(1, Math.floor(remainingMs - answerMarginMs)));
  if (call.idempotencyKey !== undefined) headers.set('idempotency-key', checkedKey(call.idempotencyKey));
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
  const idempotencyKey = readKey(only(headers, 'idempotency-key'));
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

function tooLate(remainingMs: number): FlotillaError {
  const detail = `not sent: ${remainingMs.toFixed(1)} ms are left, an answer needs at least ${leastRemainingMs}`;
  return new FlotillaError('DEADLINE_EXCEEDED', detail, { executed: 'no' });
}

function checkedKey(key: string): string {
  if (idempotencyKeyPattern.test(key)) return key;
  const detail = `an idempotency key is 1 to 255 printable characters of ASCII, got ${JSON.stringify(key.slice(0, 80))}`;
  throw new FlotillaError('INVALID_INPUT', detail);
}

function formatAttempt(attempt: number | undefined): string | undefined {
  return attempt === undefined ? undefined : String(Math.min(attempt, highestAttempt));
}

function readTrace(headers: HttpHeaders): TraceContext | undefined {
  const parent = only(headers, 'traceparent');
  return parent === undefined ? undefined : parseTraceparent(parent, readState(headers.get('tracestate')));
}

/** What is over the limit is cut at a member's end, never inside one (W3C Trace Context §3.3.1.5). */
function readState(field: string | undefined): string {
  if (field === undefined || !tracestatePattern.test(field)) return '';
  if (field.length <= longestTracestate) return field;
  const end = field.lastIndexOf(',', longestTracestate);
  return end < 0 ? '' : field.slice(0, end);
}

function readKey(field: string | undefined): string | undefined {
  return field !== undefined && idempotencyKeyPattern.test(field) ? field : undefined;
}

function readAttempt(field: string | undefined): number | undefined {
  if (field === undefined || !/^[1-9][0-9]{0,3}$/.test(field)) return undefined;
  const attempt = Number(field);
  return attempt <= highestAttempt ? attempt : undefined;
}
