import { FlotillaError } from '@flotilla/core';

/** What a {@link ChunkQueue} tells whoever fills it. Each is called at most once for one reason, never after the end. */
export interface ChunkQueueEvents {
  /** The reader asked for its first chunk. */
  started?(): void;
  /** There is room again after `push` said false. */
  roomy?(): void;
  /** The reader left before the end. */
  left?(): void;
  /** The last chunk was delivered, or the queue broke with `error`. */
  done?(error: FlotillaError | undefined): void;
}

/**
 * | state | permits | exits |
 * |---|---|---|
 * | `open` | pushing, reading | `ended`, `failed`, `left` |
 * | `ended` | reading what is queued | `left` |
 * | `failed` | reading what is queued, then the error | `left` |
 * | `left` | nothing: pushes are dropped, reads say done | none |
 */
type State = 'open' | 'ended' | 'failed' | 'left';

interface Waiter {
  resolve(result: IteratorResult<Uint8Array, undefined>): void;
  reject(error: FlotillaError): void;
}

/**
 * The bytes of one message between a producer that pushes and one reader that pulls. `push` says false when more than
 * {@link highWaterBytes} wait: a producer that then stops until `roomy` keeps the queue bounded to that and one chunk.
 */
export class ChunkQueue implements AsyncIterableIterator<Uint8Array, undefined> {
  static readonly highWaterBytes = 65_536;
  readonly #events: ChunkQueueEvents;
  #state: State = 'open';
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #full = false;
  #started = false;
  #settled = false;
  #waiter: Waiter | undefined;
  #error: FlotillaError | undefined;

  constructor(events: ChunkQueueEvents = {}) {
    this.#events = events;
  }

  /** True while the reader waits for a chunk that has not come. */
  get starved(): boolean {
    return this.#waiter !== undefined;
  }

  /** True when the reader asked for at least one chunk. */
  get started(): boolean {
    return this.#started;
  }

  /** True when the last chunk was delivered, or the reader or the producer gave up. */
  get settled(): boolean {
    return this.#settled;
  }

  /** @returns false when the producer should wait for `roomy`. */
  push(chunk: Uint8Array): boolean {
    if (this.#state !== 'open' || chunk.length === 0) return true;
    if (this.#waiter) {
      this.#take()?.resolve({ done: false, value: chunk });
      return true;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#full = this.#bytes >= ChunkQueue.highWaterBytes;
    return !this.#full;
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#take()?.resolve(finished);
    if (this.#chunks.length === 0) this.#settle(undefined);
  }

  /** The sender broke off: the reader gets what came before, then `error`. */
  fail(error: FlotillaError): void {
    if (this.#state === 'open') this.#break(error);
  }

  /** The exchange is over: what is queued is dropped, and the reader gets `error`. */
  abort(error: FlotillaError): void {
    if (this.#settled) return;
    this.#drop();
    this.#break(error);
  }

  /**
   * Everything at once, where all of it is here and nobody has read yet: its reader needs no iterator then.
   * @returns undefined otherwise, and then nothing has happened
   */
  takeWhole(): Uint8Array | undefined {
    if (this.#state !== 'ended' || this.#started) return undefined;
    this.#started = true;
    const chunks = this.#chunks;
    const [only = noBytes] = chunks;
    const whole = chunks.length <= 1 ? only : joined(chunks, this.#bytes);
    this.#drop();
    this.#settle(undefined);
    return whole;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#started) {
      this.#started = true;
      this.#events.started?.();
    }
    const chunk = this.#chunks.shift();
    if (chunk) return Promise.resolve(this.#deliver(chunk));
    if (this.#state === 'open') return this.#wait();
    const error = this.#error;
    this.#error = undefined;
    return error ? Promise.reject(error) : Promise.resolve(finished);
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    const over = this.#settled;
    this.#state = 'left';
    this.#drop();
    this.#error = undefined;
    this.#take()?.resolve(finished);
    if (!over) {
      this.#settled = true;
      this.#events.left?.();
    }
    return Promise.resolve(finished);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #deliver(value: Uint8Array): IteratorResult<Uint8Array, undefined> {
    this.#bytes -= value.length;
    if (this.#chunks.length === 0 && this.#state === 'ended') this.#settle(undefined);
    if (this.#full && this.#bytes < ChunkQueue.highWaterBytes) {
      this.#full = false;
      if (this.#state === 'open') this.#events.roomy?.();
    }
    return { done: false, value };
  }

  #wait(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#waiter)
      return Promise.reject(new FlotillaError('INTERNAL', 'a body has one reader, one chunk at a time'));
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  #take(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }

  #break(error: FlotillaError): void {
    this.#state = 'failed';
    const waiter = this.#take();
    if (waiter) waiter.reject(error);
    else this.#error = error;
    this.#settle(error);
  }

  #drop(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#full = false;
  }

  #settle(error: FlotillaError | undefined): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#events.done?.(error);
  }
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

const noBytes = new Uint8Array(0);
const finished: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });
