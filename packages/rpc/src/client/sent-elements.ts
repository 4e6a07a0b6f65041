import { type Call, FlotillaError, runInCall } from '@flotilla/core';

/** Elements that are kept until the callee is known to take them, so that a refusal can be followed by another attempt. */
const mostKept = 16;

/**
 * The elements that a caller sends with `upload` and `duplex`. They are asked for one at a time, when the transport has
 * room, in the call that the caller works for. The first {@link mostKept} are kept: an attempt that was refused before
 * more were taken can be repeated from the first one; later, reading again is refused.
 */
export class SentElements implements AsyncIterable<unknown> {
  readonly #name: string;
  readonly #within: Call | undefined;
  readonly #source: AsyncIterable<unknown> | Iterable<unknown>;
  readonly #kept: IteratorResult<unknown>[] = [];
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  #taken = 0;
  /** What the one who reads now is waiting for; another attempt takes it over. */
  #pending: Promise<IteratorResult<unknown>> | undefined;
  #over = false;
  /** What the caller's own iterator threw: whoever reads again must not take what there was for all. */
  #failure: { readonly thrown: unknown } | undefined;

  /** @param name of the operation, for messages */
  constructor(name: string, source: unknown, within: Call | undefined) {
    if (!isManyOf(source)) {
      throw new FlotillaError(
        'INVALID_INPUT',
        `${name} cannot be sent: its input must be iterable, as a list or a generator`,
      );
    }
    this.#name = name;
    this.#source = source;
    this.#within = within;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, undefined> {
    if (this.#taken > mostKept) throw this.#takenAlready();
    for (let at = 0; ; at++) {
      const result = at < this.#kept.length ? this.#kept[at] : await this.#next();
      if (!result || result.done) return;
      yield result.value;
    }
  }

  /** Nobody wants more: the caller's iterator ends. */
  release(): void {
    if (this.#over) return;
    this.#over = true;
    const iterator = this.#iterator;
    if (iterator) Promise.try(() => this.#run(() => iterator.return?.())).catch(() => undefined);
  }

  #next(): Promise<IteratorResult<unknown>> {
    this.#pending ??= this.#take();
    return this.#pending;
  }

  async #take(): Promise<IteratorResult<unknown>> {
    if (this.#failure) throw this.#failure.thrown;
    try {
      if (this.#over) return { done: true, value: undefined };
      this.#iterator ??= begin(this.#source);
      const iterator = this.#iterator;
      const result = await this.#run(() => iterator.next());
      if (result.done) this.#over = true;
      if (this.#taken++ < mostKept) this.#kept.push(result);
      return result;
    } catch (thrown) {
      this.#over = true;
      this.#failure = { thrown };
      throw thrown;
    } finally {
      this.#pending = undefined;
    }
  }

  #run<T>(work: () => T): T {
    return this.#within ? runInCall(this.#within, work) : work();
  }

  /** The callee may have done something with what it had. */
  #takenAlready(): FlotillaError {
    const detail = `${this.#name} cannot be repeated: more than ${mostKept} elements of its input are gone`;
    return new FlotillaError('CONNECTION_LOST', detail, { executed: 'unknown' });
  }
}

function isManyOf(source: unknown): source is AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof source !== 'object' || source === null) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

function begin(source: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}
