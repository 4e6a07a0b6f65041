import { FlotillaError } from '@flotilla/core';
import { GrowingBytes } from './growing-bytes.ts';

/** How lines end: at every CR, LF or CRLF, or at LF alone (a CR before it goes with it). */
export type LineEnds = 'cr-or-lf' | 'lf';

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** Cuts bytes that come in any chunks into lines, none longer than a limit. Each byte is looked at once. */
export class ByteLines {
  readonly #ends: LineEnds;
  readonly #maxLineBytes: number;
  readonly #partial = new GrowingBytes();
  #afterReturn = false;

  constructor(ends: LineEnds, maxLineBytes: number) {
    this.#ends = ends;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes of the line that has not ended yet. */
  get pendingBytes(): number {
    return this.#partial.length;
  }

  /**
   * The lines that end in `chunk`, without their ends.
   * @throws FlotillaError BAD_RESPONSE when a line is longer than the limit
   */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    if (this.#afterReturn && chunk.byteLength > 0) {
      if (chunk[0] === lineFeed) start = 1; // the second half of a CRLF that was cut in two
      this.#afterReturn = false;
    }
    for (let end = this.#findEnd(chunk, start); end >= 0; end = this.#findEnd(chunk, start)) {
      this.#extend(chunk.subarray(start, end));
      start = end + 1;
      if (this.#ends === 'cr-or-lf' && chunk[end] === carriageReturn) {
        if (start === chunk.byteLength) this.#afterReturn = true;
        else if (chunk[start] === lineFeed) start++;
      }
      yield this.#takeLine();
    }
    this.#extend(chunk.subarray(start));
  }

  /** The last line, when it has no end; empty when there is none. */
  rest(): Uint8Array {
    return this.#takeLine();
  }

  #findEnd(chunk: Uint8Array, start: number): number {
    if (this.#ends === 'lf') return chunk.indexOf(lineFeed, start);
    for (let at = start; at < chunk.byteLength; at++) {
      if (chunk[at] === lineFeed || chunk[at] === carriageReturn) return at;
    }
    return -1;
  }

  #extend(part: Uint8Array): void {
    if (part.byteLength === 0) return;
    if (this.#partial.length + part.byteLength > this.#maxLineBytes) {
      const detail = `a line of the stream is longer than the limit of ${this.#maxLineBytes} bytes`;
      throw new FlotillaError('BAD_RESPONSE', detail, { data: { maxLineBytes: this.#maxLineBytes } });
    }
    this.#partial.append(part);
  }

  #takeLine(): Uint8Array {
    const line = this.#partial.take();
    return this.#ends === 'lf' && line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
  }
}
