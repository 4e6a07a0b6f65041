import { frameFlag, frameType } from './frame.ts';
import type { LongText } from './long-text.ts';
import type { OutBuffer } from './out-buffer.ts';

/** Who writes frames: {@link Sender}. */
export interface FrameWriter {
  readonly out: OutBuffer;
  begin(streamId: number, type: number, flags: number): number;
  end(start: number): void;
}

/** A message on its way in fragments. */
interface LongMessage {
  readonly type: number;
  readonly flags: number;
  readonly initialN: number;
  readonly metadata: Uint8Array | undefined;
  readonly data: Uint8Array | LongText;
  /** Bytes of metadata and data that have gone. */
  at: number;
}

/** The messages of one stream, in order; the first one is on its way. */
interface Waiting {
  readonly streamId: number;
  readonly messages: LongMessage[];
  bytes: number;
  begun: boolean;
}

/** What a message in this line costs beside its bytes, so that empty ones count too. */
const messageCost = 64;

/**
 * Messages that are too long for one frame, and those behind them on the same streams. Streams take turns, a fragment
 * each, so that none holds up another. Metadata goes first, then data; F on all but the last fragment, N on every
 * PAYLOAD (rsocket-java closes the connection when it lacks).
 */
export class Fragments {
  readonly #fragmentBytes: number;
  readonly #byStream = new Map<number, Waiting>();
  #bytes = 0;

  constructor(fragmentBytes: number) {
    this.#fragmentBytes = fragmentBytes;
  }

  /** Bytes that wait; above 0 while any message does. */
  get bytes(): number {
    return this.#bytes;
  }

  has(streamId: number): boolean {
    return this.#bytes > 0 && this.#byStream.has(streamId);
  }

  add(streamId: number, message: LongMessage): void {
    let waiting = this.#byStream.get(streamId);
    if (!waiting) {
      waiting = { streamId, messages: [], bytes: 0, begun: false };
      this.#byStream.set(streamId, waiting);
    }
    waiting.messages.push(message);
    const bytes = lengthOf(message) + messageCost;
    waiting.bytes += bytes;
    this.#bytes += bytes;
  }

  drop(streamId: number): 'none' | 'unsent' | 'begun' {
    if (this.#bytes === 0) return 'none';
    const waiting = this.#byStream.get(streamId);
    if (!waiting) return 'none';
    this.#byStream.delete(streamId);
    this.#bytes -= waiting.bytes;
    return waiting.begun ? 'begun' : 'unsent';
  }

  clear(): void {
    this.#byStream.clear();
    this.#bytes = 0;
  }

  /** Writes the next fragment of the stream whose turn it is. @returns its bytes */
  write(writer: FrameWriter): number {
    const [waiting] = this.#byStream.values();
    if (!waiting) return 0;
    const message = waiting.messages[0] as LongMessage;
    const sent = this.#writeFragment(writer, waiting.streamId, message);
    waiting.begun = true;
    waiting.bytes -= sent;
    this.#bytes -= sent;
    this.#byStream.delete(waiting.streamId);
    if (message.at >= lengthOf(message)) {
      waiting.messages.shift();
      waiting.bytes -= messageCost;
      this.#bytes -= messageCost;
    }
    if (waiting.messages.length > 0) this.#byStream.set(waiting.streamId, waiting); // the last in line now
    return sent;
  }

  /** @returns how much of the message it took along */
  #writeFragment(writer: FrameWriter, streamId: number, message: LongMessage): number {
    const { metadata, data } = message;
    const metadataLength = metadata?.length ?? 0;
    const isFirst = message.at === 0;
    // 16: header, initial n, length of the metadata. ERROR has no fragments.
    const room = message.type === frameType.error ? Infinity : this.#fragmentBytes - 16;
    const metadataRest = metadata?.subarray(message.at, message.at + room);
    const hasMetadata = metadata !== undefined && (isFirst || message.at < metadataLength);
    const metadataTaken = hasMetadata ? (metadataRest?.length ?? 0) : 0;
    const dataAt = Math.max(0, message.at - metadataLength);
    const dataRoom = Math.min(room - metadataTaken, data.length - dataAt);
    const isLast = message.at + metadataTaken + dataRoom >= lengthOf(message);
    const type = isFirst ? message.type : frameType.payload;
    const start = writer.begin(streamId, type, fragmentFlags(message, isFirst, isLast, hasMetadata));
    const { out } = writer;
    if (isFirst && message.initialN > 0) out.u32(message.initialN);
    if (hasMetadata && metadataRest) {
      out.u24(metadataTaken);
      out.raw(metadataRest);
    }
    const dataTaken = dataRoom > 0 ? writeData(out, data, dataAt, dataRoom) : 0;
    writer.end(start);
    message.at += metadataTaken + dataTaken;
    return metadataTaken + dataTaken;
  }
}

/** C belongs to the last fragment: together with F, F would be ignored. */
function fragmentFlags(message: LongMessage, isFirst: boolean, isLast: boolean, hasMetadata: boolean): number {
  const metadata = hasMetadata ? frameFlag.metadata : 0;
  if (isLast && isFirst) return message.flags | metadata;
  const isPayload = !isFirst || message.type === frameType.payload;
  const next = isPayload ? frameFlag.next : 0;
  return metadata | next | (isLast ? message.flags & frameFlag.complete : frameFlag.follows);
}

/** @returns the bytes written: of a text maybe a few less than there is room for, but all when there is room for all */
function writeData(out: OutBuffer, data: Uint8Array | LongText, at: number, room: number): number {
  if (!(data instanceof Uint8Array)) return data.writeTo(out, room);
  out.raw(data.subarray(at, at + room));
  return room;
}

function lengthOf({ metadata, data }: LongMessage): number {
  return (metadata?.length ?? 0) + data.length;
}
