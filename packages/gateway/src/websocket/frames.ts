import type { Random } from '@flotilla/core';

/** Opcode of a close frame (RFC 6455 §11.8). */
const closeOpcode = 8;

/**
 * Follows where frames of one direction begin and end (RFC 6455 §5.2), from their lengths alone: no payload is looked at,
 * nothing is judged. It is what lets a third party say a last word at a place where its peer expects a frame.
 */
export class FrameBoundary {
  /** Bytes of a frame's head that came, at most 14. */
  #head: number[] = [];
  /** Bytes of a payload that are still to come. */
  #rest = 0;
  #closing = false;

  /** Is the next byte the first one of a frame? */
  get here(): boolean {
    return this.#rest === 0 && this.#head.length === 0;
  }

  /** A close frame has passed: nothing may follow it. */
  get closed(): boolean {
    return this.#closing;
  }

  /** @returns how many bytes of the chunk belong to the frame that is open, up to its end. 0 where none is. */
  restOfFrame(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && !this.here) at = this.#step(chunk, at);
    return at;
  }

  /** Bytes passed. */
  pass(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) at = this.#step(chunk, at);
  }

  #step(chunk: Uint8Array, at: number): number {
    if (this.#rest > 0) {
      const passed = Math.min(this.#rest, chunk.length - at);
      this.#rest -= passed;
      return at + passed;
    }
    this.#head.push(chunk[at] as number);
    if (this.#head.length === headLength(this.#head)) {
      this.#closing ||= ((this.#head[0] as number) & 0x0f) === closeOpcode;
      this.#rest = payloadLength(this.#head);
      this.#head = [];
    }
    return at + 1;
  }
}

/**
 * A close frame with a code and no text. @param masked with this randomness: towards a server each frame is (§5.3), towards
 * a client none is.
 */
export function closeFrame(code: number, masked?: Random): Uint8Array {
  const payload = [code >> 8, code & 0xff];
  if (!masked) return Uint8Array.of(0x88, 2, ...payload);
  const mask = Array.from({ length: 4 }, () => Math.floor(masked() * 256));
  return Uint8Array.of(0x88, 0x82, ...mask, ...payload.map((byte, i) => byte ^ (mask[i] as number)));
}

/** As far as the first two bytes tell. */
function headLength([, second]: readonly number[]): number {
  if (second === undefined) return 2;
  const length = second & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

/** A length beyond 2^53 loses its last bits: nobody lives to see the end of such a frame. */
function payloadLength(head: readonly number[]): number {
  const length = (head[1] as number) & 0x7f;
  if (length < 126) return length;
  return head.slice(2, length === 126 ? 4 : 10).reduce((sum, byte) => sum * 256 + byte, 0);
}
