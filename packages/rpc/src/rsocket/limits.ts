import { FlotillaError } from '@flotilla/core';
import { longestFrame } from './frame.ts';

/** What one connection allows. Sizes are bytes. */
export interface RSocketLimits {
  /** Longest frame that is taken, without its length field; at most 16,777,215. Longer: the connection ends. */
  readonly maxFrameBytes: number;
  /** Metadata and data of one message, in one frame or in fragments. More: that stream ends, the others go on. */
  readonly maxPayloadBytes: number;
  /** All messages together that have come in part. More: the message that asks for more is refused. */
  readonly maxPartialBytes: number;
  /** A message longer than this is sent in fragments of this size, between those of others. At least 128. */
  readonly fragmentBytes: number;
  /** Fragments that are sent in one turn of the event loop, all together. What else comes goes before the rest. */
  readonly bulkBytesPerTurn: number;
  /** Requests of the peer in hand at one time. More: REJECTED. */
  readonly maxInbound: number;
  /** Own requests without an end. More: refused here, `executed: no`. */
  readonly maxOutbound: number;
  /** Bytes that wait for the peer to take them, large messages apart. From here on no new ones are made. */
  readonly maxQueuedBytes: number;
  /** Bytes of large messages that wait. More: refused. */
  readonly maxBulkBytes: number;
  /** KEEPALIVE frames that want an answer. More: the connection ends. */
  readonly maxKeepalivesPerSecond: number;
  /** CANCEL frames and METADATA_PUSH frames, together. More: the connection ends. */
  readonly maxCancelsPerSecond: number;
  /** From the connection's begin to its SETUP. Longer: closed. */
  readonly setupTimeoutMs: number;
  /** The peer takes no byte of what was sent. Longer: closed. */
  readonly writeStallMs: number;
  /** A message that has come in part and of which nothing more comes. Longer: refused. */
  readonly partialTimeoutMs: number;
}

export const rsocketDefaults: RSocketLimits = Object.freeze({
  maxFrameBytes: longestFrame, // all that the wire can say: memory follows what has come, not what was announced
  maxPayloadBytes: 10_485_760, // as for bodies over HTTP
  maxPartialBytes: 67_108_864,
  fragmentBytes: 32_768,
  bulkBytesPerTurn: 65_536, // about what a core copies and sends in 30 µs
  maxInbound: 16_384,
  maxOutbound: 16_384,
  maxQueuedBytes: 4_194_304,
  maxBulkBytes: 67_108_864,
  maxKeepalivesPerSecond: 10_000, // they also pace large messages: about 50 go along with 10 MiB
  maxCancelsPerSecond: 20_000, // all calls in hand may end by one time-out
  setupTimeoutMs: 10_000,
  writeStallMs: 30_000,
  partialTimeoutMs: 30_000,
});

/** rsocket-java refuses fragments under 64 bytes; a few go to the header. */
const leastFragment = 128;

/** @throws RangeError naming the limit that is none */
export function resolveRSocketLimits(given: Partial<RSocketLimits> = {}): RSocketLimits {
  const resolved: Record<string, number> = { ...rsocketDefaults };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(rsocketDefaults, name)) {
      throw new RangeError(`"${name}" is not a limit of RSocket; there are ${Object.keys(rsocketDefaults).join(', ')}`);
    }
    if (typeof value !== 'number' || !(value > 0)) throw new RangeError(`${name} must be above 0, got ${value}`);
    resolved[name] = value;
  }
  const limits = resolved as unknown as RSocketLimits;
  if (limits.maxFrameBytes > longestFrame || limits.maxFrameBytes < 64) {
    throw new RangeError(`maxFrameBytes must be from 64 to ${longestFrame}, got ${limits.maxFrameBytes}`);
  }
  if (limits.fragmentBytes < leastFragment || limits.fragmentBytes > longestFrame) {
    throw new RangeError(`fragmentBytes must be from ${leastFragment} to ${longestFrame}, got ${limits.fragmentBytes}`);
  }
  return Object.freeze(limits);
}

/** The limits where messages of `maxPayloadBytes` have to be taken as well. */
export function takingMessagesOf(limits: RSocketLimits, maxPayloadBytes = 0): RSocketLimits {
  if (maxPayloadBytes <= limits.maxPayloadBytes) return limits;
  const maxPartialBytes = Math.max(limits.maxPartialBytes, 2 * maxPayloadBytes);
  return Object.freeze({ ...limits, maxPayloadBytes, maxPartialBytes });
}

/** Of a message over its limit. It is at fault itself: no other instance takes it. */
export function messageTooLong({ maxPayloadBytes }: Pick<RSocketLimits, 'maxPayloadBytes'>): FlotillaError {
  const detail = `a message of more than ${maxPayloadBytes} bytes (maxPayloadBytes)`;
  return new FlotillaError('BODY_TOO_LARGE', detail, { data: { maxBytes: maxPayloadBytes } });
}
