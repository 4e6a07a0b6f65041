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

const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** A new trace with a first span. */
export function newTrace(random: Random, sampled = true): TraceContext {
  return { traceId: hex(random, 32), spanId: hex(random, 16), sampled, state: '' };
}

/** A new span in the same trace. */
export function childTrace(parent: TraceContext, random: Random): TraceContext {
  return { traceId: parent.traceId, spanId: hex(random, 16), sampled: parent.sampled, state: parent.state };
}

/**
 * Reads the header `traceparent` (W3C Trace Context §3.2).
 * @returns undefined for anything invalid: then a new trace begins.
 */
export function parseTraceparent(header: string, state = ''): TraceContext | undefined {
  const match = traceparentPattern.exec(header);
  if (!match) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1, state: state.slice(0, 512) };
}

/** Writes the header `traceparent`, version 00. */
export function formatTraceparent(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? '01' : '00'}`;
}

function hex(random: Random, digits: 16 | 32): string {
  const text = digits === 16 ? sixteen(random) : sixteen(random) + sixteen(random);
  return zeros.startsWith(text) ? `${text.slice(0, -1)}1` : text; // an id of zeros is invalid
}

/** All at once: a text that is joined of pieces takes longer, and has to be made one piece again before it is sent. */
function sixteen(random: Random): string {
  const a = Math.floor(random() * 0x1_0000_0000);
  const b = Math.floor(random() * 0x1_0000_0000);
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
  );
}

const zeros = '0'.repeat(32);
const digitCodes = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

function digit(bits: number): number {
  return digitCodes[bits & 0xf] as number;
}
