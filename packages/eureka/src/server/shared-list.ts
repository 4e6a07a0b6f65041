import { type GzipPart, gzipOf, gzipPart, joined, squeezed, textOfPart } from './gzip-parts.ts';

/** A part of lists. */
export interface ListPart {
  /** Bytes of its text. */
  readonly length: number;
  /** It is there compressed. */
  readonly isPacked: boolean;
  /** Its text, in pieces. */
  texts(): Iterable<Uint8Array>;
  packed(): GzipPart;
}

/** A text that is written once. It is held as text or compressed, as it was wanted last. */
export class TextPart implements ListPart {
  readonly length: number;
  #text: Uint8Array | undefined;
  #packed: GzipPart | undefined;

  constructor(text: string) {
    this.#text = Buffer.from(text);
    this.length = this.#text.length;
  }

  get isPacked(): boolean {
    return this.#packed !== undefined;
  }

  texts(): [Uint8Array] {
    return [this.#text ?? (this.#packed ? textOfPart(this.#packed) : nothing)];
  }

  /** Nearly all readers want it compressed, so only that is kept then: a tenth of the memory. */
  packed(): GzipPart {
    this.#packed ??= gzipPart(this.texts()[0]);
    this.#text = undefined;
    return this.#packed;
  }

  /** Its compressed bytes are there too, so that it needs none of its own. */
  moveTo(deflated: Uint8Array): void {
    this.#packed = { ...this.packed(), deflated };
  }
}

/** Parts that stand together in many lists. */
export class ListRun implements ListPart {
  readonly length: number;
  readonly #parts: readonly TextPart[];
  readonly #separator: TextPart | undefined;
  #packed: GzipPart | undefined;
  #squeezed: GzipPart | undefined;

  /** @param separator stands between two of them */
  constructor(parts: readonly TextPart[], separator?: TextPart) {
    this.#parts = parts;
    this.#separator = separator;
    this.length = lengthOf(this.#withSeparators());
  }

  get isPacked(): boolean {
    return this.#packed !== undefined;
  }

  texts(): Iterable<Uint8Array> {
    if (this.#packed && this.length <= mostAtOnce) return [textOfPart(this.#packed)];
    return textsOf(this.#withSeparators());
  }

  /** One piece of memory, which the parts share from then on. */
  packed(): GzipPart {
    this.#packed ??= this.#pack();
    return this.#squeezed ?? this.#packed;
  }

  /** From then on it is sent compressed as a whole: by a third shorter, where its parts are small. */
  async squeeze(): Promise<void> {
    if (this.#squeezed || this.length > mostAtOnce) return;
    const text = Buffer.concat([...this.texts()]);
    this.#squeezed = await squeezed(this.packed(), text);
  }

  #pack(): GzipPart {
    const whole = joined(Array.from(this.#withSeparators(), (part) => part.packed()));
    const between = this.#separator?.packed().deflated.length ?? 0;
    let at = 0;
    for (const part of this.#parts) {
      const { length } = part.packed().deflated;
      part.moveTo(whole.deflated.subarray(at, at + length));
      at += length + between;
    }
    return whole;
  }

  *#withSeparators(): Generator<TextPart, undefined> {
    for (const [n, part] of this.#parts.entries()) {
      if (n > 0 && this.#separator) yield this.#separator;
      yield part;
    }
  }
}

/** So much text is made at once of what is compressed: some milliseconds of work. */
const mostAtOnce = 2_097_152;

/** A list that is sent to many: parts that it shares with the lists before and after it. */
export class SharedList {
  readonly #parts: readonly ListPart[];
  #gzipped: ListBody | undefined;

  constructor(parts: readonly ListPart[]) {
    this.#parts = parts;
  }

  /** The text. */
  plain(): ListBody {
    const length = lengthOf(this.#parts);
    if (length <= textPieceBytes) return { length, body: Buffer.concat([...textsOf(this.#parts)]) };
    return { length, body: streamOf(gathered(textsOf(this.#parts), textPieceBytes)) };
  }

  /** The text compressed as one gzip member. Parts have to be packed before: in slices, where there are many. */
  gzipped(): ListBody {
    this.#gzipped ??= this.#gzip();
    return this.#gzipped;
  }

  /** For a list that many ask for: {@link gzipped} is shorter from then on, and so are the lists that share its parts. */
  async squeeze(): Promise<void> {
    for (const part of this.#parts) if (part instanceof ListRun) await part.squeeze();
    this.#gzipped = undefined;
  }

  #gzip(): ListBody {
    const pieces = gzipOf(this.#parts.map((part) => part.packed()));
    const length = lengthOf(pieces);
    if (length <= gzipPieceBytes) return { length, body: Buffer.concat(pieces) };
    const large = [...gathered(pieces, gzipPieceBytes)]; // once for all readers
    return { length, body: { [Symbol.asyncIterator]: () => streamOf(large) } };
  }
}

/** The body of an answer, and how long it is. */
export interface ListBody {
  readonly length: number;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Up to here a text is one piece, which is made for each reader; pieces of longer ones are gathered to this. */
const textPieceBytes = 65_536;
/**
 * The same of what is compressed, which all readers share. A connection counts as moving when a piece has gone, so a piece may not
 * take a slow reader as long as a connection may stand still (`writeStallMs`).
 */
const gzipPieceBytes = 131_072;

function lengthOf(parts: Iterable<{ readonly length: number }>): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

function* textsOf(parts: Iterable<ListPart>): Generator<Uint8Array, undefined> {
  for (const part of parts) yield* part.texts();
}

async function* streamOf(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  yield* pieces;
}

function* gathered(pieces: Iterable<Uint8Array>, least: number): Generator<Uint8Array, undefined> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < least) continue;
    yield waiting.length === 1 ? piece : Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

const nothing = new Uint8Array(0);
