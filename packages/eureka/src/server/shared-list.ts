import { type GzipPart, gzipOf, gzipPart, textOfPart } from './gzip-parts.ts';

/** A part of lists that is written once. It is held as text or compressed, as it was wanted last. */
export class ListPart {
  #text: Uint8Array | undefined;
  #packed: GzipPart | undefined;

  constructor(text: string) {
    this.#text = Buffer.from(text);
  }

  get length(): number {
    return this.#text?.length ?? this.#packed?.length ?? 0;
  }

  /** It is there compressed. */
  get isPacked(): boolean {
    return this.#packed !== undefined;
  }

  text(): Uint8Array {
    return this.#text ?? (this.#packed ? textOfPart(this.#packed) : nothing);
  }

  /** Nearly all readers want it compressed, so only that is kept then: a tenth of the memory. */
  packed(): GzipPart {
    this.#packed ??= gzipPart(this.text());
    this.#text = undefined;
    return this.#packed;
  }
}

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
    if (length <= pieceBytes) return { length, body: Buffer.concat(this.#parts.map((part) => part.text())) };
    return { length, body: streamOf(gathered(textsOf(this.#parts))) };
  }

  /** The text compressed as one gzip member. Parts have to be packed before: in slices, where there are many. */
  gzipped(): ListBody {
    this.#gzipped ??= this.#gzip();
    return this.#gzipped;
  }

  #gzip(): ListBody {
    const pieces = gzipOf(this.#parts.map((part) => part.packed()));
    const length = lengthOf(pieces);
    if (length <= pieceBytes) return { length, body: Buffer.concat(pieces) };
    const large = [...gathered(pieces)]; // once for all readers
    return { length, body: { [Symbol.asyncIterator]: () => streamOf(large) } };
  }
}

/** The body of an answer, and how long it is. */
export interface ListBody {
  readonly length: number;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Up to here a list is one piece; pieces of longer ones are gathered to this. */
const pieceBytes = 65_536;

function lengthOf(parts: Iterable<{ readonly length: number }>): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

function* textsOf(parts: Iterable<ListPart>): Generator<Uint8Array, undefined> {
  for (const part of parts) yield part.text();
}

async function* streamOf(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  yield* pieces;
}

function* gathered(pieces: Iterable<Uint8Array>): Generator<Uint8Array, undefined> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < pieceBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

const nothing = new Uint8Array(0);
