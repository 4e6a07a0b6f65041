/**
 * Bytes that come in chunks, kept in one array that doubles: a sender that cuts what it sends into single bytes costs
 * no more than one that does not. Nothing is written into the chunks, and a single one is not copied.
 */
export class GrowingBytes {
  #held: Uint8Array = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(chunk: Uint8Array): void {
    if (this.#length === 0) this.#held = chunk;
    else {
      this.#reserve(this.#length + chunk.byteLength);
      this.#held.set(chunk, this.#length);
    }
    this.#length += chunk.byteLength;
  }

  /** All bytes so far; then there are none. The array may be a chunk, and is the caller's to read only. */
  take(): Uint8Array {
    const bytes = this.#held.subarray(0, this.#length);
    this.#held = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }

  /** A chunk that was taken over uncopied is exactly full, so it is never written into. */
  #reserve(length: number): void {
    if (length <= this.#held.byteLength) return;
    const larger = new Uint8Array(Math.max(length, 2 * this.#held.byteLength));
    larger.set(this.#held.subarray(0, this.#length));
    this.#held = larger;
  }
}
