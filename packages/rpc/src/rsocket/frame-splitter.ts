import { readU24 } from './frame.ts';

/** Who takes the frames. */
export interface FrameSink {
  /** A whole frame, without its length field. The bytes are valid only now. @returns whether more are wanted */
  frame(bytes: Buffer, start: number, end: number): boolean;
  /** The length field says something that no frame can have: nothing behind it can be read. */
  broken(reason: string): void;
}

/**
 * Cuts a stream of bytes into frames, whatever pieces it comes in. Frames that are whole within one piece are not
 * copied. One that is not is gathered in a buffer that grows with what has come, never by what a length field claims.
 */
export class FrameSplitter {
  readonly #maxFrameBytes: number;
  #carry: Buffer | undefined;
  #carried = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Bytes of a frame that has not come in whole. */
  get pendingBytes(): number {
    return this.#carried;
  }

  push(chunk: Buffer, sink: FrameSink): void {
    let at = 0;
    if (this.#carried > 0) {
      at = this.#complete(chunk, sink);
      if (at < 0) return;
    }
    const end = chunk.length;
    while (end - at >= 3) {
      const length = readU24(chunk, at);
      if (!this.#possible(length, sink)) return;
      if (end - at - 3 < length) break;
      const start = at + 3;
      at = start + length;
      if (!sink.frame(chunk, start, at)) return;
    }
    if (at < end) this.#keep(chunk, at, end);
  }

  /** Fills up the frame that was begun. @returns how far the chunk has been read; -1 for an end */
  #complete(chunk: Buffer, sink: FrameSink): number {
    let at = 0;
    if (this.#carried < 3) {
      at = Math.min(3 - this.#carried, chunk.length);
      this.#keep(chunk, 0, at);
      if (this.#carried < 3) return at;
    }
    const carry = this.#carry as Buffer;
    const length = readU24(carry, 0);
    if (!this.#possible(length, sink)) return -1;
    const take = Math.min(3 + length - this.#carried, chunk.length - at);
    this.#keep(chunk, at, at + take);
    if (this.#carried < 3 + length) return at + take;
    const whole = this.#carry as Buffer;
    this.#carried = 0;
    this.#carry = undefined;
    return sink.frame(whole, 3, 3 + length) ? at + take : -1;
  }

  #possible(length: number, sink: FrameSink): boolean {
    if (length >= 6 && length <= this.#maxFrameBytes) return true;
    sink.broken(
      length < 6
        ? `a frame of ${length} bytes: the shortest has 6`
        : `a frame of ${length} bytes: the limit (maxFrameBytes) is ${this.#maxFrameBytes}`,
    );
    return false;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    const needed = this.#carried + to - from;
    if (!this.#carry || this.#carry.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(256, needed, 2 * this.#carried));
      this.#carry?.copy(grown, 0, 0, this.#carried);
      this.#carry = grown;
    }
    chunk.copy(this.#carry, this.#carried, from, to);
    this.#carried = needed;
  }
}
