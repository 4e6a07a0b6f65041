import { FlotillaError } from '@flotilla/core';
import type { HttpHeaders } from '../headers.ts';

/** Large enough to cost nothing, small enough that progress can be seen on a slow connection. */
const sliceBytes = 65_536;

/**
 * A body on its way out: in slices of at most 64 KiB, and of exactly the length that was declared. One that is longer
 * or shorter fails, so that its message is broken off instead of running into the next one.
 */
export class CheckedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #declared: number | undefined;
  #sent = 0;
  #rest: Uint8Array = nothing;

  constructor(body: Uint8Array | AsyncIterable<Uint8Array>, headers: HttpHeaders) {
    const declared = headers.get('content-length');
    this.#declared = declared === undefined ? undefined : Number(declared);
    this.#chunks = body instanceof Uint8Array ? emptyIterator : body[Symbol.asyncIterator]();
    if (body instanceof Uint8Array) this.#rest = body;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return this.#end();
      this.#rest = asBytes(value);
    }
    const slice = this.#rest.subarray(0, sliceBytes);
    this.#rest = this.#rest.subarray(slice.length);
    this.#sent += slice.length;
    if (this.#declared !== undefined && this.#sent > this.#declared) throw this.#mismatch('more than');
    return { done: false, value: slice };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#rest = nothing;
    await this.#chunks.return?.();
    return finished;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): IteratorReturnResult<undefined> {
    if (this.#declared !== undefined && this.#sent < this.#declared) throw this.#mismatch(`only ${this.#sent} of`);
    return finished;
  }

  #mismatch(what: string): FlotillaError {
    return new FlotillaError(
      'INTERNAL',
      `a body gave ${what} the ${this.#declared} bytes that its content-length says`,
    );
  }
}

function asBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new FlotillaError('INTERNAL', `a body consists of Uint8Array chunks, got ${typeof value}`);
}

const nothing = new Uint8Array(0);
const finished: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });
const emptyIterator: AsyncIterator<Uint8Array> = Object.freeze({ next: async () => finished });
