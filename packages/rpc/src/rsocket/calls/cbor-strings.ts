/** What a walk over the items of CBOR (RFC 8949 §3) stops at. */
class NotWellFormed extends Error {}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The same CBOR with each text and byte string in one piece. Jackson writes long texts in chunks (§3.2.3), which the library
 * does not read.
 * @throws Error for a string that is cut off, or has a chunk that is none
 */
export function withWholeStrings(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let kept = 0;
  walk(bytes, (from, to, chunks, major) => {
    if (!chunks) return;
    pieces.push(bytes.subarray(kept, from), head(major, chunks), ...chunks);
    kept = to;
  });
  return kept === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(kept)]);
}

/** Jackson makes chunks of about this size too. */
const longestPiece = 4_000;

/**
 * The same CBOR with long texts in chunks. Jackson (2.19 to 3.0, as Spring Boot 3.5 and 4.0 have it) reads texts of some
 * thousand bytes that are in one piece wrongly: cut, or with an error.
 */
export function withTextsInChunks(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let kept = 0;
  walk(bytes, (from, to, chunks, major, length) => {
    if (major !== 3 || chunks || length <= longestPiece) return;
    pieces.push(bytes.subarray(kept, from), beginChunks);
    for (let at = to - length; at < to; ) {
      const end = characterEnd(bytes, Math.min(at + longestPiece, to), to);
      const piece = bytes.subarray(at, end);
      pieces.push(head(3, [piece]), piece);
      at = end;
    }
    pieces.push(endChunks);
    kept = to;
  });
  return kept === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(kept)]);
}

const beginChunks = Buffer.of(0x7f);
const endChunks = Buffer.of(0xff);

/** Each chunk is whole characters (RFC 8949 §3.2.3): back to where one begins. */
function characterEnd(bytes: Buffer, at: number, last: number): number {
  let end = at;
  while (end < last && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return end;
}

/** @throws Error when a text is not UTF-8; strings are in one piece */
export function assertTexts(bytes: Buffer): void {
  walk(bytes, (_from, to, _chunks, major, length) => {
    if (major === 3) utf8.decode(bytes.subarray(to - length, to));
  });
}

/**
 * Visits every string. Containers are heads only, so nesting costs nothing.
 * @param visit from the head to behind the string; `chunks` of one in pieces
 */
function walk(
  bytes: Buffer,
  visit: (from: number, to: number, chunks: Buffer[] | undefined, major: number, length: number) => void,
): void {
  for (let at = 0; at < bytes.length; ) {
    const from = at;
    const major = (bytes[at] ?? 0) >> 5;
    const { length, next } = argument(bytes, at);
    at = next;
    if (major !== 2 && major !== 3) continue; // a number, a head, a mark: nothing but its argument
    if (length !== undefined) {
      at = within(bytes, at + length);
      visit(from, at, undefined, major, length);
      continue;
    }
    const chunks: Buffer[] = [];
    while (bytes[at] !== 0xff) {
      if (at >= bytes.length) throw new NotWellFormed('a string in pieces is cut off');
      const piece = argument(bytes, at);
      if ((bytes[at] ?? 0) >> 5 !== major || piece.length === undefined) {
        throw new NotWellFormed('a string in pieces holds something else');
      }
      at = within(bytes, piece.next + piece.length);
      chunks.push(bytes.subarray(piece.next, at));
    }
    at++;
    visit(from, at, chunks, major, 0);
  }
}

/** @returns the number in or behind an initial byte; undefined: the length is not said */
function argument(bytes: Buffer, at: number): { readonly length: number | undefined; readonly next: number } {
  const minor = (bytes[at] ?? 0) & 31;
  const next = at + 1;
  if (minor < 24) return { length: minor, next };
  if (minor === 31) return { length: undefined, next };
  if (minor > 27) throw new NotWellFormed(`an item begins with 0x${bytes[at]?.toString(16)}`);
  const size = 2 ** (minor - 24);
  within(bytes, next + size);
  const length = size === 8 ? Number(bytes.readBigUInt64BE(next)) : bytes.readUIntBE(next, size);
  return { length, next: next + size };
}

function within(bytes: Buffer, end: number): number {
  if (end <= bytes.length) return end;
  throw new NotWellFormed('it ends in the middle of an item');
}

/** The head of a string in one piece. */
function head(major: number, chunks: readonly Buffer[]): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = (major << 5) | 26;
  bytes.writeUInt32BE(
    chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    1,
  );
  return bytes;
}
