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
  if (header.length < 55 || !isDash(header, 2) || !isDash(header, 35) || !isDash(header, 52)) return undefined;
  if (!isHex(header, 0, 2) || !isHex(header, 53, 55) || !isId(header, 3, 35) || !isId(header, 36, 52)) return undefined;
  // Later versions may add something behind another dash; version 00 may not, and ff is none.
  if (header.length > 55 && (header.startsWith('00') || !/^-.*$/.test(header.slice(55)))) return undefined;
  if (header.startsWith('ff')) return undefined;
  const sampled = '13579bdf'.includes(header.charAt(54));
  return {
    traceId: header.slice(3, 35),
    spanId: header.slice(36, 52),
    sampled,
    state: state.length > 512 ? state.slice(0, 512) : state,
  };
}

/** Whether there are lower-case hex digits, and nothing else. */
function isHex(text: string, from: number, to: number): boolean {
  let all = 1;
  let codes = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    codes |= code;
    all &= isDigit[code & 0x7f] as number;
  }
  return all === 1 && codes < isDigit.length;
}

/** The same, and not all zeros. */
function isId(text: string, from: number, to: number): boolean {
  if (!isHex(text, from, to)) return false;
  for (let at = from; at < to; at++) if (text.charCodeAt(at) !== 0x30) return true;
  return false;
}

/** Of ASCII. */
const isDigit = new Uint8Array(0x80);
for (const digit of '0123456789abcdef') isDigit[digit.charCodeAt(0)] = 1;

function isDash(text: string, at: number): boolean {
  return text.charCodeAt(at) === 0x2d;
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
