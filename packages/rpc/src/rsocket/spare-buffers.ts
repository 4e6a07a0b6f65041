import { OutBuffer } from './out-buffer.ts';

/** Frames of one turn for a peer that is asked one thing among many peers. */
export const smallBytes = 8_192;
/** Twice what is gathered at most before it is sent. */
export const largeBytes = 131_072;
/** Kept of each size: 2 MiB. */
const mostBytes = 2_097_152;

/**
 * Buffers that no connection uses now: one has a buffer only while frames are gathered in it, from the first to the end of the
 * turn. A process with a hundred peers gathers for many of them in one turn, a little for each; so there are two sizes.
 */
export class SpareBuffers {
  readonly #small: OutBuffer[] = [];
  readonly #large: OutBuffer[] = [];

  /** @param bytes that the last turn needed: a guess, which decides on the size only, since a buffer grows */
  take(bytes: number): OutBuffer {
    const isSmall = bytes <= smallBytes;
    const spare = isSmall ? this.#small.pop() : this.#large.pop();
    return spare ?? new OutBuffer(Buffer.allocUnsafeSlow(isSmall ? smallBytes : largeBytes));
  }

  /** Takes back a buffer of which nobody holds the bytes any more. Of another size, or too many, are left to the collector. */
  give(out: OutBuffer): void {
    const size = out.bytes.length;
    const spare = size === smallBytes ? this.#small : size === largeBytes ? this.#large : undefined;
    if (!spare || (spare.length + 1) * size > mostBytes) return;
    out.length = 0;
    spare.push(out);
  }
}
