import type { Random } from './clock.ts';

/** Which trace a call belongs to, and which of its spans is the current one (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** Vendors' own state, passed on unread. Empty when there is none; at most 512 characters are kept. */
  readonly state: string;
}

/** A new trace with a first span. */
export function newTrace(random: Random, sampled = true): TraceContext {
  return { traceId: thirtyTwo(random), spanId: sixteen(random), sampled, state: '' };
}

/** A new span in the same trace. */
export function childTrace(parent: TraceContext, random: Random): TraceContext {
  return { traceId: parent.traceId, spanId: sixteen(random), sampled: parent.sampled, state: parent.state };
}

/**
 * Reads the header `traceparent` (W3C Trace Context §3.2).
 * @returns undefined for anything invalid: then a new trace begins.
 */
export function parseTraceparent(header: string, state = ''): TraceContext | undefined {
  const bytes = Buffer.from(header);
  return readTraceparent(bytes, 0, bytes.length, state);
}

/** {@link parseTraceparent} in place: nothing becomes text before it is known to be valid. */
export function readTraceparent(bytes: Buffer, from: number, to: number, state = ''): TraceContext | undefined {
  if (to - from < 55 || !isDash(bytes, from + 2) || !isDash(bytes, from + 35) || !isDash(bytes, from + 52)) {
    return undefined;
  }
  if (!isHex(bytes, from, from + 2) || !isHex(bytes, from + 53, from + 55)) return undefined;
  if (!isId(bytes, from + 3, from + 35) || !isId(bytes, from + 36, from + 52)) return undefined;
  if (!isVersion(bytes, from, to)) return undefined;
  const ids = bytes.toString('latin1', from + 3, from + 52);
  return {
    traceId: ids.slice(0, 32),
    spanId: ids.slice(33),
    sampled: isOdd(bytes[from + 54] as number),
    state: state.length > 512 ? state.slice(0, 512) : state,
  };
}

/** Later versions than 00 may add something behind another dash; ff is none. */
function isVersion(bytes: Buffer, from: number, to: number): boolean {
  if (isPair(bytes, from, 0x66)) return false;
  return to - from === 55 || (!isPair(bytes, from, 0x30) && /^-.*$/.test(bytes.toString('utf8', from + 55, to)));
}

/** Twice the same character. */
function isPair(bytes: Uint8Array, at: number, code: number): boolean {
  return bytes[at] === code && bytes[at + 1] === code;
}

/** Whether there are lower-case hex digits, and nothing else. */
function isHex(bytes: Uint8Array, from: number, to: number): boolean {
  let all = 1;
  for (let at = from; at < to; at++) all &= isDigit[bytes[at] as number] as number;
  return all === 1;
}

/** The same, and not all zeros. */
function isId(bytes: Uint8Array, from: number, to: number): boolean {
  if (!isHex(bytes, from, to)) return false;
  for (let at = from; at < to; at++) if (bytes[at] !== 0x30) return true;
  return false;
}

const isDigit = new Uint8Array(0x100);
for (const digit of '0123456789abcdef') isDigit[digit.charCodeAt(0)] = 1;

/** Of a hex digit: those of the letters begin with an odd code for an even digit. */
function isOdd(digit: number): boolean {
  return (digit & 1) === (digit < 0x61 ? 1 : 0);
}

function isDash(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x2d;
}

/** Writes the header `traceparent`, version 00. */
export function formatTraceparent(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? '01' : '00'}`;
}

/**
 * All digits of an id at once: a text that is joined of pieces takes longer, and has to be made one piece again before it is sent.
 * An id of zeros is invalid: the last digit is 1 then.
 */
function sixteen(random: Random): string {
  const a = word(random);
  const b = word(random);
  const last = (a | b) === 0 ? 1 : b;
  return String.fromCharCode(
    digit(a >>> 28),
    digit(a >>> 24),
    digit(a >>> 20),
    digit(a >>> 16),
    digit(a >>> 12),
    digit(a >>> 8),
    digit(a >>> 4),
    digit(a),
    digit(last >>> 28),
    digit(last >>> 24),
    digit(last >>> 20),
    digit(last >>> 16),
    digit(last >>> 12),
    digit(last >>> 8),
    digit(last >>> 4),
    digit(last),
  );
}

function thirtyTwo(random: Random): string {
  const a = word(random);
  const b = word(random);
  const c = word(random);
  const d = word(random);
  const last = (a | b | c | d) === 0 ? 1 : d;
  return String.fromCharCode(
    digit(a >>> 28),
    digit(a >>> 24),
    digit(a >>> 20),
    digit(a >>> 16),
    digit(a >>> 12),
    digit(a >>> 8),
    digit(a >>> 4),
    digit(a),
    digit(b >>> 28),
    digit(b >>> 24),
    digit(b >>> 20),
    digit(b >>> 16),
    digit(b >>> 12),
    digit(b >>> 8),
    digit(b >>> 4),
    digit(b),
    digit(c >>> 28),
    digit(c >>> 24),
    digit(c >>> 20),
    digit(c >>> 16),
    digit(c >>> 12),
    digit(c >>> 8),
    digit(c >>> 4),
    digit(c),
    digit(last >>> 28),
    digit(last >>> 24),
    digit(last >>> 20),
    digit(last >>> 16),
    digit(last >>> 12),
    digit(last >>> 8),
    digit(last >>> 4),
    digit(last),
  );
}

/** 32 random bits. */
function word(random: Random): number {
  return (random() * 0x1_0000_0000) | 0;
}

const digitCodes = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

function digit(bits: number): number {
  return digitCodes[bits & 0xf] as number;
}
