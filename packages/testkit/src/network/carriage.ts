import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import { innerCall } from '@flotilla/resilience';
import type { Carrier } from './carried-body.ts';
import type { Passage } from './passage.ts';

/** What carrying one exchange needs. */
export interface CarriageParts {
  /** "web.1 to catalog.2", for messages. */
  readonly title: string;
  /** From the one that calls to the one that is called. */
  readonly forth: Passage;
  readonly back: Passage;
  /** Resolves at the next change of any fault. */
  readonly changed: () => Promise<void>;
}

/** As long as a socket engine waits for a connection. */
const connectTimeoutMs = 1_000;

/**
 * One exchange on a way that may fail, whatever travels.
 *
 * ```
 *  caller ─ connect ─ delay ─ body, slowly ─▶ engine ─▶ callee
 *  caller ◀─ body, slowly or broken ─ delay ─ lost? ── engine ◀─┘
 * ```
 *
 * The engine gets a call of its own: the caller's ends with the last byte that really arrives.
 */
export class Carriage implements Carrier {
  readonly title: string;
  readonly #parts: CarriageParts;
  readonly #outer: Call;
  readonly #inner: Call;
  readonly #broken = Promise.withResolvers<never>();
  #answered = false;

  constructor(parts: CarriageParts, outer: Call) {
    this.title = parts.title;
    this.#parts = parts;
    this.#outer = outer;
    this.#inner = innerCall(outer, outer.clock.now());
    this.#broken.promise.catch(() => {}); // heard by whoever waits at that moment, maybe by nobody
    outer.onCancel((reason) => this.break(reason));
  }

  get forth(): Passage {
    return this.#parts.forth;
  }

  get back(): Passage {
    return this.#parts.back;
  }

  /** Whether the head of the answer has arrived. */
  get answered(): boolean {
    return this.#answered;
  }

  /** The call of the caller. */
  get outer(): Call {
    return this.#outer;
  }

  /** Sends by `send`, which gets the engine's call, and gives what `receive` makes of the answer. */
  async exchange<A, B>(
    send: (inner: Call) => Promise<A>,
    receive: (answer: A, inner: Call) => Promise<B> | B,
  ): Promise<B> {
    try {
      await this.#connect();
      await this.#travel(this.forth);
      const answer = await this.unlessBroken(send(this.#inner));
      await this.#loseAnswer();
      await this.#travel(this.back);
      this.#answered = true;
      return await receive(answer, this.#inner);
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      this.break(error);
      throw error;
    }
  }

  /** The connection is gone: whoever waits gets `error`, and the callee sees that the caller went away. */
  break(error: FlotillaError): void {
    this.#broken.reject(error);
    this.#inner.cancel(new FlotillaError('CANCELLED', 'the connection is gone'));
    this.#outer.end(error);
  }

  unlessBroken<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#broken.promise, work]);
  }

  /** Waits while nothing gets through. */
  async passable(passage: Passage): Promise<void> {
    while (passage.dropped) await this.unlessBroken(this.#parts.changed());
  }

  /** Waits by the clock, or until `meanwhile` is done. */
  async pause(delayMs: number, meanwhile?: Promise<void>): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = this.#outer.clock.setTimer(delayMs, over.resolve);
    try {
      await this.unlessBroken(meanwhile ? Promise.race([over.promise, meanwhile]) : over.promise);
    } finally {
      timer.cancel();
    }
  }

  lost(why: string): FlotillaError {
    return new FlotillaError('CONNECTION_LOST', `from ${this.title}: ${why}`);
  }

  async #connect(): Promise<void> {
    if (this.forth.dropped) await this.pause(connectTimeoutMs, this.passable(this.forth));
    if (this.forth.dropped) throw this.#unreachable(`no connection within ${connectTimeoutMs} ms`);
    if (this.forth.refused || this.back.refused) throw this.#unreachable('the connection was refused');
    if (this.forth.loses('before-sending')) throw this.#unreachable('the request was lost before it was sent');
  }

  async #travel(passage: Passage): Promise<void> {
    const delayMs = passage.delayMs();
    if (delayMs > 0) await this.pause(delayMs);
    await this.passable(passage);
  }

  async #loseAnswer(): Promise<void> {
    if (this.forth.loses('after-processing')) throw this.lost('the connection broke after the work was done');
    if (!this.forth.loses('answer')) return;
    this.#inner.cancel(new FlotillaError('CANCELLED', 'nobody hears the answer'));
    await this.#broken.promise;
  }

  #unreachable(why: string): FlotillaError {
    return new FlotillaError('CONNECT_FAILED', `from ${this.title}: ${why}`);
  }
}
