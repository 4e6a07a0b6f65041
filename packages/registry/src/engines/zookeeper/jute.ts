import { FlotillaError } from '@flotilla/core';

/**
 * Jute, ZooKeeper's serialisation: big-endian numbers, texts and buffers behind their length (-1: null), lists behind
 * their count (`zookeeper-jute/src/main/java/org/apache/jute/BinaryOutputArchive.java`).
 */
export class JuteWriter {
  #bytes: Buffer;
  #size = 4;

  /** Leaves room for a frame's length in front. */
  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  int(value: number): this {
    this.#size = this.#room(4).writeInt32BE(value, this.#size);
    return this;
  }

  long(value: bigint): this {
    this.#size = this.#room(8).writeBigInt64BE(value, this.#size);
    return this;
  }

  bool(value: boolean): this {
    this.#size = this.#room(1).writeUInt8(value ? 1 : 0, this.#size);
    return this;
  }

  text(value: string): this {
    const size = Buffer.byteLength(value);
    this.int(size);
    this.#room(size).write(value, this.#size);
    this.#size += size;
    return this;
  }

  buffer(value: Buffer): this {
    this.int(value.length);
    value.copy(this.#room(value.length), this.#size);
    this.#size += value.length;
    return this;
  }

  /** The whole frame, length in front. */
  frame(): Buffer {
    this.#bytes.writeInt32BE(this.#size - 4, 0);
    return this.#bytes.subarray(0, this.#size);
  }

  #room(more: number): Buffer {
    if (this.#size + more <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafe(2 * (this.#size + more));
    this.#bytes.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
    return larger;
  }
}

/** Reads one frame, front to back. @throws FlotillaError BAD_RESPONSE when it ends too soon. */
export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  long(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  /** A 64-bit number that fits into a JavaScript number, as transaction ids do for two million elections. */
  number(): number {
    const number = Number(this.long());
    if (!Number.isSafeInteger(number)) throw odd(`a number of ${number} is too large`);
    return number;
  }

  bool(): boolean {
    return this.#bytes[this.#take(1)] !== 0;
  }

  text(): string {
    return this.buffer().toString();
  }

  /** A copy, since the frame's memory goes back to the socket. */
  buffer(): Buffer {
    const size = this.int();
    if (size < 0) return Buffer.alloc(0);
    const at = this.#take(size);
    return Buffer.from(this.#bytes.subarray(at, at + size));
  }

  texts(): string[] {
    const count = this.int();
    if (count > this.left / 4) throw odd(`a list of ${count} texts in ${this.left} bytes`);
    return Array.from({ length: Math.max(0, count) }, () => this.text());
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.left) throw odd(`${size} bytes are wanted, ${this.left} are left`);
    this.#at += size;
    return at;
  }
}

function odd(what: string): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `ZooKeeper answered something not understood: ${what}`);
}
