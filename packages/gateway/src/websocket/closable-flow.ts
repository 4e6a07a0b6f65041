import { FrameBoundary } from './frames.ts';

/** What a {@link ClosableFlow} tells. */
export interface FlowEvents {
  /** A chunk passes. */
  passed(bytes: number): void;
  /** The source is at its end, or broke off. */
  ended(thrown?: unknown): void;
}

type Result = IteratorResult<Uint8Array, undefined>;

/**
 * One direction of a WebSocket as it passes through, with a place for a last word.
 *
 * | state | gives | exits |
 * |---|---|---|
 * | open | what its source gives | closing, ended |
 * | closing: {@link close} was called inside a frame | the rest of that frame, then the last word | ended |
 * | ended | nothing; what its source still gives is read and thrown away, so that the peer can answer | none |
 */
export class ClosableFlow implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #events: FlowEvents;
  readonly #boundary = new FrameBoundary();
  #lastWord: Uint8Array | undefined;
  #ended = false;
  /** Asked for by the reader, not yet answered. */
  #reader: PromiseWithResolvers<Result> | undefined;
  /** Asked of the source, not yet answered. */
  #asking = false;

  constructor(source: AsyncIterable<Uint8Array>, events: FlowEvents) {
    this.#source = source[Symbol.asyncIterator]();
    this.#events = events;
  }

  next(): Promise<Result> {
    if (this.#ended) return Promise.resolve(over);
    const reader = Promise.withResolvers<Result>();
    this.#reader = reader;
    if (this.#lastWord && this.#boundary.here) this.#say(this.#lastWord);
    else this.#ask();
    return reader.promise;
  }

  return(): Promise<Result> {
    this.#ended = true;
    this.#reader?.resolve(over);
    this.#reader = undefined;
    void Promise.resolve(this.#source.return?.()).catch(nothing);
    return Promise.resolve(over);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Says a last word at the next boundary of frames, then ends this direction. Once; later calls do nothing. */
  close(lastWord: Uint8Array): void {
    if (this.#ended || this.#lastWord) return;
    this.#lastWord = lastWord;
    if (this.#reader && this.#boundary.here) this.#say(lastWord);
  }

  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#source.next().then(
      (result) => {
        this.#asking = false;
        if (this.#ended) this.#throwAway(result);
        else this.#deliver(result);
      },
      (thrown: unknown) => {
        this.#asking = false;
        this.#ended = true;
        this.#events.ended(thrown);
        this.#take()?.reject(thrown);
      },
    );
  }

  #deliver({ done, value }: IteratorResult<Uint8Array>): void {
    if (done) {
      this.#ended = true;
      this.#events.ended();
      this.#take()?.resolve(over);
      return;
    }
    this.#events.passed(value.length);
    if (!this.#lastWord) {
      this.#boundary.pass(value);
      this.#take()?.resolve({ done: false, value });
      return;
    }
    const rest = value.subarray(0, this.#boundary.restOfFrame(value));
    if (rest.length > 0) this.#take()?.resolve({ done: false, value: rest });
    else this.#say(this.#lastWord);
  }

  /** Nothing may follow a close frame that has passed already. */
  #say(value: Uint8Array): void {
    this.#ended = true;
    const reader = this.#take();
    if (this.#boundary.closed) reader?.resolve(over);
    else reader?.resolve({ done: false, value });
    this.#ask();
  }

  #throwAway({ done }: IteratorResult<Uint8Array>): void {
    if (!done) this.#ask();
  }

  #take(): PromiseWithResolvers<Result> | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }
}

const over: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

function nothing(): void {}
