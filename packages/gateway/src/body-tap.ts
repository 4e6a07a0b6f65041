import type { HttpBody } from '@flotilla/http';

/** What a {@link tapBody} tells of a body on its way. */
export interface BodyTap {
  /** A chunk is passed on. Throwing stops the body: its reader gets what was thrown, its sender is told to stop. */
  chunk(bytes: number): void;
  /** The sender broke off, or `chunk` threw. Not called when the reader leaves. */
  failed?(thrown: unknown): void;
}

/** The same body, one chunk at a time, as its reader asks for it: back pressure and leaving early pass through. */
export function tapBody(body: HttpBody, tap: BodyTap): HttpBody {
  if (body === undefined) return undefined;
  if (!(body instanceof Uint8Array)) return new TappedBody(body[Symbol.asyncIterator](), tap);
  tap.chunk(body.byteLength);
  return body;
}

/** Leaves a body that nobody will read, so that its sender can stop. */
export function leaveBody(body: HttpBody): void {
  if (body === undefined || body instanceof Uint8Array) return;
  void Promise.resolve(body[Symbol.asyncIterator]().return?.()).catch(ignore);
}

// Not an async generator: that would queue `return` behind a `next` that waits for the sender.
class TappedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #tap: BodyTap;

  constructor(source: AsyncIterator<Uint8Array>, tap: BodyTap) {
    this.#source = source;
    this.#tap = tap;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      const { done, value } = await this.#source.next();
      if (done) return { done: true, value: undefined };
      this.#tap.chunk(value.byteLength);
      return { done: false, value };
    } catch (thrown) {
      this.#leave();
      this.#tap.failed?.(thrown);
      throw thrown;
    }
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Not awaited: a sender that hangs would hang whoever leaves it. */
  #leave(): void {
    void Promise.resolve(this.#source.return?.()).catch(ignore);
  }
}

function ignore(): void {}
