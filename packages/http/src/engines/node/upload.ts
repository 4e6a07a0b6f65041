/**
 * A request body on its way into undici, which reads it in a loop. {@link stop} ends that loop at once and leaves the
 * body, also while it has nothing to give.
 */
export class Upload implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #body: AsyncIterator<Uint8Array, undefined>;
  readonly #failed: (thrown: unknown) => void;
  readonly #stopped = Promise.withResolvers<IteratorReturnResult<undefined>>();
  #over = false;
  #chunks = 0;

  /** @param failed is told why, when the body itself fails. */
  constructor(body: AsyncIterator<Uint8Array, undefined>, failed: (thrown: unknown) => void) {
    this.#body = body;
    this.#failed = failed;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (++this.#chunks % chunksPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    if (this.#over) return finished;
    try {
      const result = await Promise.race([this.#body.next(), this.#stopped.promise]);
      if (result.done) this.#over = true;
      return result;
    } catch (thrown) {
      this.#over = true;
      this.#failed(thrown);
      throw thrown;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.stop();
    return finished;
  }

  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopped.resolve(finished);
    this.#body.return?.().then(nothing, nothing);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** The kernel takes megabytes without a wait: after so many chunks of a body that is always ready others have a turn. */
const chunksPerTurn = 64;

const finished: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

function nothing(): void {}
