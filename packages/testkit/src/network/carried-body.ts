import { FlotillaError, toFlotillaError } from '@flotilla/core';
import type { Passage } from './passage.ts';

/** The exchange that a body belongs to. */
export interface Carrier {
  /** Waits while nothing gets through. */
  passable(passage: Passage): Promise<void>;
  pause(delayMs: number): Promise<void>;
  unlessBroken<T>(work: Promise<T>): Promise<T>;
  lost(why: string): FlotillaError;
  break(error: FlotillaError): void;
}

/** A body that comes slowly comes in this many pieces a second. */
const piecesPerSecond = 10;

/** A body on a way that may be slow, stand still, or break. Read by one reader, one chunk at a time. */
export class CarriedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #carrier: Carrier;
  readonly #passage: Passage;
  readonly #done: (outcome: FlotillaError | undefined) => void;
  readonly #resetAfter: number | undefined;
  #carried = 0;
  #rest: Uint8Array | undefined;
  #ended = false;

  /** @param done hears once how it ended. */
  constructor(
    body: Uint8Array | AsyncIterable<Uint8Array>,
    carrier: Carrier,
    passage: Passage,
    done: (outcome: FlotillaError | undefined) => void,
  ) {
    // Not through a generator: one that was never asked for a chunk would not tell its source that nobody wants it.
    this.#chunks = body instanceof Uint8Array ? once(body) : body[Symbol.asyncIterator]();
    this.#carrier = carrier;
    this.#passage = passage;
    this.#done = done;
    this.#resetAfter = passage.resetAfterBytes();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#ended) return finished;
    try {
      await this.#carrier.passable(this.#passage);
      const piece = await this.#piece();
      if (piece === undefined) {
        this.#end(undefined);
        return finished;
      }
      await this.#travel(piece);
      return { done: false, value: piece };
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      this.#carrier.break(error);
      this.#end(error);
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    const over = this.#ended;
    this.#end(new FlotillaError('CANCELLED', 'the reader left the body before its end'));
    if (!over) void Promise.try(() => this.#chunks.return?.()).catch(() => {});
    return finished;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next bytes, as many as travel together; what is left of a chunk waits. */
  async #piece(): Promise<Uint8Array | undefined> {
    const chunk = this.#rest ?? (await this.#read());
    if (chunk === undefined) return undefined;
    const untilReset = (this.#resetAfter ?? Infinity) - this.#carried;
    if (untilReset <= 0) throw this.#carrier.lost(`the connection was reset after ${this.#carried} bytes of a body`);
    const atOnce = Math.max(1, Math.floor(this.#passage.bytesPerSecond / piecesPerSecond));
    const length = Math.min(chunk.length, atOnce, untilReset);
    this.#rest = length < chunk.length ? chunk.subarray(length) : undefined;
    this.#carried += length;
    return chunk.subarray(0, length);
  }

  async #read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#carrier.unlessBroken(this.#chunks.next());
    return done ? undefined : value;
  }

  async #travel(piece: Uint8Array): Promise<void> {
    const { bytesPerSecond } = this.#passage;
    if (bytesPerSecond < Infinity) await this.#carrier.pause((piece.length / bytesPerSecond) * 1_000);
    await this.#carrier.passable(this.#passage);
  }

  #end(outcome: FlotillaError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#done(outcome);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}

const finished: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });
