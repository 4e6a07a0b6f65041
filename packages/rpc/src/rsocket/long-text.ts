import type { OutBuffer } from './out-buffer.ts';

/**
 * A text that is sent in pieces, and made UTF-8 piece by piece as they go: to encode and to copy megabytes at once would
 * hold up every other message of the process.
 */
export class LongText {
  /** Bytes that all of it takes. */
  readonly length: number;
  readonly #text: string;
  /** Code units that were written. */
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.length = Buffer.byteLength(text);
  }

  /** Writes the next characters, as many as fit into `room` bytes. @returns the bytes that they took */
  writeTo(out: OutBuffer, room: number): number {
    out.ensure(room);
    let end = Math.min(this.#at + room, this.#text.length);
    if (end < this.#text.length && isHighSurrogate(this.#text.charCodeAt(end - 1))) end--; // half a character is none
    const target = out.bytes.subarray(out.length, out.length + room);
    const { read, written } = encoder.encodeInto(this.#text.slice(this.#at, end), target);
    this.#at += read;
    out.length += written;
    return written;
  }
}

const encoder = new TextEncoder();

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd8_00 && unit <= 0xdb_ff;
}
