import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * Parts of a text that are compressed each by itself and joined to one gzip member (RFC 1952), so that of a list in which
 * one application changed one part is compressed anew. A part ends on a byte (`Z_SYNC_FLUSH`, RFC 1951 §3.2.4) and refers
 * to nothing before it, so parts can stand in any order.
 */
export interface GzipPart {
  readonly deflated: Uint8Array;
  /** Bytes of the text. */
  readonly length: number;
  readonly crc: number;
  /** What moves the checksum of everything before this part over it. */
  readonly shift: number;
}

/** The least that zlib takes for its output. */
const leastChunk = 64;

/** Compressing is a fifth of what writing a part costs, and every reader is sent what it saves. */
const level = 6;

export function gzipPart(text: Uint8Array): GzipPart {
  const chunkSize = Math.max(1_024, text.length >> 3); // nearly always enough, where the usual 16 kB are far too much
  const output = deflateRawSync(text, { level, chunkSize, finishFlush: constants.Z_SYNC_FLUSH });
  const deflated = Uint8Array.from(output); // the output is a view that would keep all of its chunk
  return { deflated, length: text.length, crc: crc32(text), shift: shiftBy(text.length) };
}

/** The same text as one part that refers to all of itself: shorter than the sum of its parts. Made on another thread. */
export async function squeezed(part: GzipPart, text: Uint8Array): Promise<GzipPart> {
  const output = await deflate(text, { level, finishFlush: constants.Z_SYNC_FLUSH });
  return { ...part, deflated: Uint8Array.from(output) };
}

const deflate = promisify<Uint8Array, object, Buffer>(deflateRaw);

/** The text of a part. */
export function textOfPart({ deflated, length }: GzipPart): Uint8Array {
  // All of it in one piece of memory, and not in such that large ones are put together of.
  const chunkSize = Math.max(leastChunk, length + 1);
  return inflateRawSync(deflated, { finishFlush: constants.Z_SYNC_FLUSH, chunkSize });
}

/** Parts as one, in a piece of memory of its own. */
export function joined(parts: readonly GzipPart[]): GzipPart {
  const { crc, length } = sumOf(parts);
  return { deflated: Buffer.concat(parts.map(({ deflated }) => deflated)), length, crc, shift: shiftBy(length) };
}

/** The bytes of a gzip file with these parts, in pieces. */
export function gzipOf(parts: readonly GzipPart[]): Uint8Array[] {
  const end = Buffer.alloc(emptyBlock.length + 8);
  emptyBlock.copy(end);
  const { crc, length } = sumOf(parts);
  end.writeUInt32LE(crc >>> 0, emptyBlock.length);
  end.writeUInt32LE(length % 2 ** 32, emptyBlock.length + 4);
  return [head, ...parts.map(({ deflated }) => deflated), end];
}

/** Checksum and length of the texts of parts. */
function sumOf(parts: readonly GzipPart[]): Pick<GzipPart, 'crc' | 'length'> {
  let crc = 0;
  let length = 0;
  for (const part of parts) {
    crc = (multiply(part.shift, crc) ^ part.crc) >>> 0;
    length += part.length;
  }
  return { crc, length };
}

/** Magic, deflate, no flags, no time, no hint, unknown system. */
const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** The last block, of nothing. */
const emptyBlock = Buffer.from([3, 0]);

/** The polynomial of CRC-32, its bits in reverse: bit 31 is the coefficient of x^0. */
const polynomial = 0xedb88320;

/** The product of two polynomials modulo that one. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let mask = 0x80000000; mask !== 0 && a !== 0; mask >>>= 1) {
    if ((a & mask) !== 0) {
      product ^= b;
      a ^= mask;
    }
    b = (b & 1) !== 0 ? (b >>> 1) ^ polynomial : b >>> 1;
  }
  return product >>> 0;
}

/** x^(2^n), for n from 0 on. */
const powers: readonly number[] = Array.from({ length: 63 }).reduce<number[]>(
  (known) => {
    const last = known.at(-1) ?? 0;
    return [...known, multiply(last, last)];
  },
  [0x40000000],
);

/** x^(8 × bytes): multiplying by it is what so many zero bytes do to a checksum. */
function shiftBy(bytes: number): number {
  let product = 0x80000000;
  for (let n = 3, rest = bytes; rest > 0; n++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) product = multiply(powers[n] ?? 0, product);
  }
  return product >>> 0;
}
