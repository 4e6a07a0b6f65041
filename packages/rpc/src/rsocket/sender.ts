import type { Clock } from '@flotilla/core';
import { BulkWindow } from './bulk-window.ts';
import type { ByteChannel } from './byte-channel.ts';
import { Fragments, type FrameWriter } from './fragments.ts';
import { frameFlag, frameType, headBytes, readU32, rsocketError } from './frame.ts';
import type { RSocketLimits } from './limits.ts';
import { LongText } from './long-text.ts';
import { OutBuffer, type Sendable } from './out-buffer.ts';
import { SpareBuffers } from './spare-buffers.ts';

/** A gathered piece of this size is sent at once. */
const pieceBytes = 65_536;

/** The channel holds this much: more waits here, where small frames can still overtake large ones. */
const channelBytes = 131_072;

/**
 * Writes the frames of a connection. Those of one turn of the event loop are gathered in one buffer and sent in one
 * write. Messages longer than a fragment wait aside and go out behind the small ones, a fragment of each in turn.
 *
 * Buffers belong to all connections of the process together: an idle connection has none.
 */
export class Sender implements FrameWriter {
  readonly #channel: ByteChannel;
  readonly #limits: RSocketLimits;
  readonly #fragments: Fragments;
  readonly #clock: Clock;
  readonly #window = new BulkWindow();
  #out: OutBuffer = nothing;
  #scheduled = false;
  #closed = false;
  #handed = 0;
  /** Bytes that the buffer of the last turn needed. */
  #room = 0;
  #waiting: (() => void)[] = [];
  #waitingForIdle: (() => void)[] = [];

  constructor(channel: ByteChannel, limits: RSocketLimits, clock: Clock) {
    this.#clock = clock;
    this.#channel = channel;
    this.#limits = limits;
    this.#fragments = new Fragments(limits.fragmentBytes);
  }

  /** Where the next byte goes, counted from the connection's begin. Below {@link handed} all has left this process's hands. */
  get position(): number {
    return this.#handed + this.#out.length;
  }

  /** Bytes that the channel was given. */
  get handed(): number {
    return this.#handed;
  }

  /** Bytes that wait, large messages apart. */
  get queuedBytes(): number {
    return this.#out.length + this.#channel.queuedBytes;
  }

  /** Bytes of large messages that wait. */
  get bulkBytes(): number {
    return this.#fragments.bytes;
  }

  /** Is so much waiting that nobody should make more? */
  get congested(): boolean {
    return this.queuedBytes >= this.#limits.maxQueuedBytes || this.#fragments.bytes >= this.#limits.maxBulkBytes;
  }

  /** Is anything still to be sent? */
  get idle(): boolean {
    return this.#out.length === 0 && this.#fragments.bytes === 0 && this.#channel.queuedBytes === 0;
  }

  /** Calls `run` once when less than half of what is allowed waits, or when the connection is over. */
  whenClear(run: () => void): void {
    this.#waiting.push(run);
    this.schedule();
  }

  /** Calls `run` once when all has been sent; not when the connection ends before. */
  whenIdle(run: () => void): void {
    this.#waitingForIdle.push(run);
    this.schedule();
  }

  /** Forgets what is gathered. */
  discard(): void {
    this.#out.length = 0;
    this.#fragments.clear();
  }

  /** Begins a frame. @returns what {@link end} wants */
  begin(streamId: number, type: number, flags: number): number {
    const out = this.#open();
    const start = out.length;
    out.ensure(headBytes);
    const { bytes } = out;
    bytes[start + 3] = streamId >>> 24;
    bytes[start + 4] = streamId >>> 16;
    bytes[start + 5] = streamId >>> 8;
    bytes[start + 6] = streamId;
    const typeAndFlags = (type << 10) | flags;
    bytes[start + 7] = typeAndFlags >>> 8;
    bytes[start + 8] = typeAndFlags;
    out.length = start + headBytes;
    return start;
  }

  /** Where the fields of a frame that was begun are written. */
  get out(): OutBuffer {
    return this.#out;
  }

  /** The frame that was begun is whole. */
  end(start: number): void {
    const out = this.#out;
    out.setU24(start, out.length - start - 3);
    if (out.length >= pieceBytes) this.#flush();
    if (!this.#scheduled) this.schedule();
  }

  /**
   * A request, a PAYLOAD or an ERROR. It goes out in fragments if it is long, and behind what is left of its stream.
   * @param initialN of streams and channels, code of an ERROR; else 0
   * @param data bytes that are long are not copied: they must not change until they are sent
   */
  message(
    streamId: number,
    type: number,
    flags: number,
    initialN: number,
    metadata: Sendable | undefined,
    data: Sendable | undefined,
  ): void {
    if (this.#closed) return;
    const behind = this.#fragments.has(streamId);
    const start = this.begin(streamId, type, metadata === undefined ? flags : flags | frameFlag.metadata);
    const out = this.#out;
    const long = this.#long(data);
    let dataAt = 0;
    try {
      if (initialN > 0) out.u32(initialN);
      if (metadata !== undefined) writeMetadata(out, metadata);
      dataAt = out.length;
      if (data !== undefined && !long) out.send(data);
    } catch (thrown) {
      out.length = start; // half a frame would spoil all that follow
      throw thrown;
    }
    if (!long && !behind && out.length - start - 3 <= this.#limits.fragmentBytes) {
      this.end(start);
      return;
    }
    const { bytes } = out;
    const metadataAt = start + headBytes + (initialN > 0 ? 4 : 0) + 3;
    this.#fragments.add(streamId, {
      type,
      flags,
      initialN,
      metadata: metadata === undefined ? undefined : Buffer.from(bytes.subarray(metadataAt, dataAt)),
      data: long ?? Buffer.from(bytes.subarray(dataAt, out.length)),
      at: 0,
    });
    out.length = start; // it goes another way
    this.schedule();
  }

  /** Data that is too long for the buffer of small frames, as it waits for its turns. */
  #long(data: Sendable | undefined): Uint8Array | LongText | undefined {
    const { fragmentBytes } = this.#limits;
    if (typeof data === 'string') return data.length > fragmentBytes ? new LongText(data) : undefined;
    return data instanceof Uint8Array && data.length > fragmentBytes ? data : undefined;
  }

  /** CANCEL, or REQUEST_N where `n` is above 0. */
  control(streamId: number, type: number, n: number): void {
    if (this.#closed) return;
    const start = this.begin(streamId, type, 0);
    if (n > 0) this.#out.u32(n);
    this.end(start);
  }

  /** ERROR: of a stream, or of the connection (stream 0). It goes behind what is left of the stream, or takes its place. */
  error(streamId: number, code: number, text: Sendable, place: 'behind' | 'instead' = 'instead'): void {
    if (place === 'instead') this.#fragments.drop(streamId);
    this.message(streamId, frameType.error, 0, code === 0 ? rsocketError.APPLICATION_ERROR : code, undefined, text);
  }

  /**
   * Forgets what is left of a stream's messages.
   * @returns `unsent` when not a byte of its first one had gone
   */
  drop(streamId: number): 'none' | 'unsent' | 'begun' {
    return this.#fragments.drop(streamId);
  }

  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#channel.afterTurn(this.#turn);
  }

  /** The channel took all it had. */
  drained(): void {
    const isAwaited = this.#waiting.length > 0 || this.#waitingForIdle.length > 0;
    if (this.#out.length > 0 || this.#fragments.bytes > 0 || isAwaited) this.schedule();
  }

  /** The data of a KEEPALIVE that answers one of ours. */
  echoed(data: Uint8Array): void {
    if (data.length !== 4 || !this.#window.echoed(readU32(data, 0), this.#clock.now())) return;
    if (this.#fragments.bytes === 0) return;
    this.#probe();
    this.schedule();
  }

  /** Looks whether what was sent is ever read. */
  look(now: number): void {
    this.#window.look(now);
    if (this.#fragments.bytes > 0) this.schedule();
  }

  /** Sends what there is of small frames, at once. */
  flush(): void {
    this.#flush();
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#closed = true;
    this.#fragments.clear();
    this.#giveBack();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) run();
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#closed) return;
    this.#flush();
    if (this.#fragments.bytes > 0) this.#sendFragments();
    if (this.#waiting.length > 0) this.#tellClear();
    if (this.#waitingForIdle.length > 0 && this.idle) for (const run of this.#waitingForIdle.splice(0)) run();
  };

  #sendFragments(): void {
    const end = this.#handed + this.#limits.bulkBytesPerTurn;
    while (this.#maySendFragment && this.#handed < end) {
      this.#window.sent(this.#fragments.write(this));
      this.#probe();
      this.#flush();
    }
    if (this.#maySendFragment) this.schedule();
  }

  get #maySendFragment(): boolean {
    return this.#fragments.bytes > 0 && this.#window.open && this.#channel.queuedBytes < channelBytes;
  }

  /** Asks the peer to say when it has read all that was written before. */
  #probe(): void {
    const id = this.#window.probe(this.#clock.now());
    if (id === undefined) return;
    const start = this.begin(0, frameType.keepalive, frameFlag.respond);
    this.#out.u32(0);
    this.#out.u32(0);
    this.#out.u32(id);
    this.end(start);
  }

  #tellClear(): void {
    const { maxQueuedBytes, maxBulkBytes } = this.#limits;
    if (this.queuedBytes * 2 > maxQueuedBytes || this.#fragments.bytes * 2 > maxBulkBytes) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) run();
  }

  #flush(): void {
    const out = this.#out;
    if (out.length === 0 || this.#channel.queuedBytes >= channelBytes) return;
    const bytes = out.bytes.subarray(0, out.length);
    this.#handed += out.length;
    this.#room = 3 * out.length; // text is given the room of the longest that it can be
    out.length = 0;
    if (!this.#channel.write(bytes)) out.bytes = noBytes; // the channel has it now
    this.#giveBack();
  }

  #open(): OutBuffer {
    if (this.#out === nothing) this.#out = spare.take(this.#room);
    return this.#out;
  }

  #giveBack(): void {
    const out = this.#out;
    this.#out = nothing;
    out.length = 0;
    spare.give(out);
  }
}

function writeMetadata(out: OutBuffer, metadata: Sendable): void {
  out.u24(0);
  const begun = out.length;
  out.send(metadata);
  out.setU24(begun - 3, out.length - begun);
}

const noBytes = Buffer.alloc(0);
/** Stands for "no buffer". Never written to. */
const nothing = new OutBuffer(noBytes);
/** Of all connections of the process. */
const spare = new SpareBuffers();
