/** What can be sent as metadata or data: text becomes UTF-8, straight in the outgoing buffer. */
export type Sendable = string | Uint8Array | ByteSource;

/**
 * Something that writes itself into the outgoing buffer, so that a message of several parts needs no buffer of its own:
 * composite metadata of a call, for instance. It is asked once, at once.
 */
export interface ByteSource {
  writeTo(out: OutBuffer): void;
}

/** Longer text is measured before it is written; shorter text gets the room of the longest that it can be. */
const measuredFrom = 4_096;

/** Bytes to be sent, written one behind the other. It grows as needed. */
export class OutBuffer {
  bytes: Buffer;
  length = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  u8(value: number): void {
    this.ensure(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.ensure(2);
    const { bytes, length } = this;
    bytes[length] = value >>> 8;
    bytes[length + 1] = value;
    this.length = length + 2;
  }

  u24(value: number): void {
    this.ensure(3);
    this.setU24(this.length, value);
    this.length += 3;
  }

  u32(value: number): void {
    this.ensure(4);
    const { bytes, length } = this;
    bytes[length] = value >>> 24;
    bytes[length + 1] = value >>> 16;
    bytes[length + 2] = value >>> 8;
    bytes[length + 3] = value;
    this.length = length + 4;
  }

  /** Overwrites 3 bytes: a length that is known only afterwards. */
  setU24(at: number, value: number): void {
    const { bytes } = this;
    bytes[at] = value >>> 16;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value;
  }

  raw(source: Uint8Array): void {
    this.ensure(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  text(text: string): void {
    this.ensure(text.length > measuredFrom ? Buffer.byteLength(text) : text.length * 3);
    this.length += this.bytes.write(text, this.length);
  }

  /** Text that is short, and ASCII: so few characters are copied sooner one by one than by a call of Node's. */
  ascii(text: string): void {
    const { length } = text;
    this.ensure(length);
    const { bytes, length: start } = this;
    for (let at = 0; at < length; at++) bytes[start + at] = text.charCodeAt(at);
    this.length = start + length;
  }

  /** A whole number from 0 to 2,147,483,647, as decimal digits. */
  decimal(value: number): void {
    let count = 1;
    for (let bound = 10; bound <= value; bound *= 10) count++;
    this.ensure(count);
    const { bytes, length: start } = this;
    let rest = value | 0; // the remainder of a number that may be a fraction takes ten times as long
    for (let at = start + count - 1; at >= start; at--) {
      const digit = rest % 10;
      bytes[at] = 0x30 + digit;
      rest = (rest - digit) / 10;
    }
    this.length = start + count;
  }

  /** Any of them. */
  send(value: Sendable): void {
    if (typeof value === 'string') this.text(value);
    else if (value instanceof Uint8Array) this.raw(value);
    else value.writeTo(this);
  }
}
