import {
  type Call,
  defaultUrgency,
  formatBaggage,
  parseBaggage,
  parseTraceparent,
  readTraceparent,
} from '@flotilla/core';
import {
  checkedIdempotencyKey,
  type IncomingContext,
  longestTimeoutMs,
  readAttempt,
  readIdempotencyKey,
  readTracestate,
  tellableAttempt,
  tellableTimeoutMs,
} from '@flotilla/http';
import { OutBuffer } from '../rsocket/out-buffer.ts';

/** Type of the metadata entry that carries the context of a call. */
export const contextMediaType = 'application/vnd.flotilla.context';

/** What may come. A longer entry is passed over whole, further lines are. */
export const contextLimits: Readonly<{ maxBytes: number; maxLines: number }> = Object.freeze({
  maxBytes: 16_384, // baggage of 8 KiB, a tracestate and a key, and room for what comes later
  maxLines: 32,
});

type Read = { -readonly [Fact in keyof IncomingContext]: IncomingContext[Fact] };

/** What a peer says of a call. What is absent, repeated or not well formed is undefined. */
export interface CarriedContext extends Read {
  /** Version and fingerprint of the contract as the caller knows it. */
  contractVersion: number | undefined;
  contractHash: string | undefined;
}

/**
 * What travels with a call, as the text of one metadata entry: lines of one letter and a value, in ASCII. The deadline is
 * always the first one, so that a reader in a hurry knows where it is.
 *
 * | letter | value |
 * |---|---|
 * | `d` | milliseconds that the callee has: what is left, less 10; absent without a deadline |
 * | `t` | traceparent (W3C Trace Context) |
 * | `c` | version and fingerprint of the contract that the caller knows: `1:0123456789abcdef` |
 * | `s` | tracestate |
 * | `b` | baggage (W3C Baggage); the tenant is its member `flotilla.tenant` |
 * | `u` | urgency of RFC 9218, 0 to 7, when it is not 3 |
 * | `a` | attempt, when an outer layer repeats |
 * | `k` | idempotency key |
 *
 * Letters that are not known are passed over. `conformance/golden/context-entry.json` pins it.
 *
 * @param contract made by {@link formatContract}; empty: nothing is said of it
 * @throws FlotillaError DEADLINE_EXCEEDED, with `executed` no, when less than 5 ms are left
 * @throws FlotillaError INVALID_INPUT when the idempotency key is not 1 to 255 printable characters of ASCII
 */
export function formatContext(call: Call, contract: string): string {
  const out = new OutBuffer(Buffer.allocUnsafe(256));
  writeContextEntry(out, call, checkContext(call), contract);
  return out.bytes.toString('latin1', 0, out.length);
}

/**
 * Looks whether the context of a call can be said, before anything of it is written.
 * @returns the milliseconds that the callee is told to have; `Infinity` without a deadline
 * @throws FlotillaError as {@link formatContext}
 */
export function checkContext(call: Call): number {
  const timeoutMs = tellableTimeoutMs(call);
  if (call.idempotencyKey !== undefined) checkedIdempotencyKey(call.idempotencyKey);
  return timeoutMs;
}

/** Writes the text of {@link formatContext}. @param timeoutMs what {@link checkContext} said */
export function writeContextEntry(out: OutBuffer, call: Call, timeoutMs: number, contract: string): void {
  const { trace, baggage, urgency, attempt, idempotencyKey } = call;
  if (timeoutMs !== Infinity) {
    out.ascii('d');
    out.decimal(timeoutMs);
    out.ascii('\n');
  }
  // The line of `formatTraceparent`, without the text that nobody else would read.
  out.ascii('t00-');
  out.ascii(trace.traceId);
  out.ascii('-');
  out.ascii(trace.spanId);
  out.ascii(trace.sampled ? '-01' : '-00');
  if (contract !== '') {
    out.ascii('\nc');
    out.ascii(contract);
  }
  if (trace.state !== '') out.text(`\ns${trace.state}`);
  if (baggage.size > 0) {
    const members = formatBaggage(baggage);
    if (members !== '') out.text(`\nb${members}`);
  }
  if (urgency !== defaultUrgency) out.text(`\nu${urgency}`);
  if (attempt !== undefined) {
    out.ascii('\na');
    out.decimal(tellableAttempt(attempt));
  }
  if (idempotencyKey !== undefined) out.text(`\nk${idempotencyKey}`);
}

/** The value of line `c`. */
export function formatContract(version: number, hash: string): string {
  return `${version}:${hash}`;
}

/** Reads {@link formatContext}'s text, whoever wrote it. Never throws. */
export function parseContext(text: string): CarriedContext {
  const bytes = Buffer.from(text);
  return readContext(bytes, 0, bytes.length);
}

/** {@link parseContext} in place: only what is read becomes text. */
export function readContext(bytes: Buffer, from: number, to: number): CarriedContext {
  const carried = emptyContext();
  if (to - from > contextLimits.maxBytes) return carried;
  let state = '';
  let seen = 0;
  let repeated = 0;
  let at = from;
  for (let line = 0; at < to && line < contextLimits.maxLines; line++) {
    const end = endOfLine(bytes, at, to);
    const bit = bitOf(bytes[at] as number);
    if ((seen & bit) !== 0) repeated |= bit;
    seen |= bit;
    switch (bit) {
      case letters.d:
        carried.timeoutMs = readTimeout(bytes, at + 1, end);
        break;
      case letters.t:
        carried.trace = readTraceparent(bytes, at + 1, end);
        break;
      case letters.c:
        readContract(bytes, at + 1, end, carried);
        break;
      case letters.s:
        state = readTracestate(bytes.toString('latin1', at + 1, end));
        break;
      case 0:
        break;
      default:
        readRare(bit, bytes.toString('latin1', at + 1, end), carried);
    }
    at = end + 1;
  }
  if (state !== '' && carried.trace) carried.trace = { ...carried.trace, state };
  return repeated === 0 ? carried : withoutRepeated(carried, repeated);
}

function endOfLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== 0x0a) at++;
  return at;
}

function readRare(bit: number, value: string, carried: CarriedContext): void {
  switch (bit) {
    case letters.b:
      carried.baggage = parseBaggage(value);
      break;
    case letters.u:
      carried.urgency = /^[0-7]$/.test(value) ? Number(value) : undefined;
      break;
    case letters.a:
      carried.attempt = readAttempt(value);
      break;
    case letters.k:
      carried.idempotencyKey = readIdempotencyKey(value);
      break;
  }
}

/**
 * The context that a peer which is not ours says in entries of their own, whose types are the names of header fields:
 * `traceparent`, `tracestate`, `baggage`, as the instrumentation of Spring writes them. Nothing is known of a deadline.
 */
export function foreignContext(
  traceparent: string | undefined,
  tracestate: string | undefined,
  baggage: string | undefined,
): CarriedContext {
  const carried = emptyContext();
  if (traceparent !== undefined) carried.trace = parseTraceparent(traceparent, readTracestate(tracestate));
  if (baggage !== undefined) carried.baggage = parseBaggage(baggage);
  return carried;
}

function emptyContext(): CarriedContext {
  return {
    timeoutMs: undefined,
    trace: undefined,
    baggage: undefined,
    urgency: undefined,
    attempt: undefined,
    idempotencyKey: undefined,
    contractVersion: undefined,
    contractHash: undefined,
  };
}

/** One bit for each letter, to see what came twice. */
const letters = { d: 1, t: 2, c: 4, s: 8, b: 16, u: 32, a: 64, k: 128 } as const;

/** @param code of the first character of a line @returns 0 for a letter that is not known */
function bitOf(code: number): number {
  switch (code) {
    case 0x64:
      return letters.d;
    case 0x74:
      return letters.t;
    case 0x63:
      return letters.c;
    case 0x73:
      return letters.s;
    case 0x62:
      return letters.b;
    case 0x75:
      return letters.u;
    case 0x61:
      return letters.a;
    case 0x6b:
      return letters.k;
    default:
      return 0;
  }
}

/** The line `c` that was read last: nearly all calls of a process say the same. */
let lastContract: { readonly bytes: Uint8Array; readonly version: number; readonly hash: string } | undefined;

function readContract(bytes: Buffer, from: number, to: number, carried: CarriedContext): void {
  let read = lastContract;
  if (!read || !isSame(read.bytes, bytes, from, to)) {
    const value = bytes.toString('latin1', from, to);
    if (!/^[1-9][0-9]{0,8}:[0-9a-f]{16}$/.test(value)) return;
    const [version = '', hash = ''] = value.split(':');
    read = { bytes: new Uint8Array(bytes.subarray(from, to)), version: Number(version), hash };
    lastContract = read;
  }
  carried.contractVersion = read.version;
  carried.contractHash = read.hash;
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[from + at]) return false;
  return true;
}

/** 1 to 10 digits. */
function readTimeout(bytes: Uint8Array, from: number, to: number): number | undefined {
  if (to === from || to - from > 10) return undefined;
  let timeoutMs = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    timeoutMs = timeoutMs * 10 + digit;
  }
  return Math.min(timeoutMs, longestTimeoutMs);
}

/** Two words for one thing are none. */
function withoutRepeated(carried: CarriedContext, repeated: number): CarriedContext {
  const { trace } = carried;
  return {
    timeoutMs: repeated & letters.d ? undefined : carried.timeoutMs,
    trace: repeated & letters.t ? undefined : trace && repeated & letters.s ? { ...trace, state: '' } : trace,
    baggage: repeated & letters.b ? undefined : carried.baggage,
    urgency: repeated & letters.u ? undefined : carried.urgency,
    attempt: repeated & letters.a ? undefined : carried.attempt,
    idempotencyKey: repeated & letters.k ? undefined : carried.idempotencyKey,
    contractVersion: repeated & letters.c ? undefined : carried.contractVersion,
    contractHash: repeated & letters.c ? undefined : carried.contractHash,
  };
}
