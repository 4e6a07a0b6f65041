import { type Call, type Clock, FlotillaError, runInCall, type Timer, within } from '@flotilla/core';

/** What the next piece of a stream is made from. */
export interface StreamSource {
  /** Of the handler. */
  readonly elements: AsyncIterator<unknown>;
  readonly call: Call;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** An element's bytes; rejects when it may not be sent. */
  encode(element: unknown): Promise<Uint8Array>;
  end(): Uint8Array | undefined;
  /** Last bytes of a stream that broke. */
  fail(error: FlotillaError): Uint8Array;
  heartbeat(): Uint8Array;
  /** The error that a caller is told of. */
  explain(thrown: unknown): Promise<FlotillaError>;
}

/** What asking the handler for one more element came to. */
export type Step =
  | { readonly kind: 'element'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly error: FlotillaError };

/**
 * The body of a stream. The handler is asked for an element only when the consumer asks for bytes, so a slow consumer
 * slows the handler; one element is asked for ahead, before the head is sent.
 *
 * | state | next | exits |
 * |---|---|---|
 * | flowing | an element, or a heartbeat when none came for {@link StreamSource.heartbeatMs} | last, over |
 * | last | the bytes that say how it ended | over |
 * | over | nothing more | none |
 *
 * Leaving it (`return`) cancels the call and ends the handler's iterator.
 */
export class StreamBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #source: StreamSource;
  #pending: Promise<Step> | undefined;
  #over = false;
  /** Answers the wait of {@link next} with a heartbeat; undefined while nobody waits. */
  #beat: (() => void) | undefined;
  #waitingSince = 0;
  #timer: Timer | undefined;

  constructor(source: StreamSource) {
    this.#source = source;
  }

  /** The next element, asked for already or now. It stays the next one until {@link next} has given it. */
  peek(): Promise<Step> {
    this.#pending ??= this.#pull();
    return this.#pending;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#over) return done;
    const step = await this.#orHeartbeat(this.peek());
    if (step === 'heartbeat') return { done: false, value: this.#source.heartbeat() };
    this.#pending = undefined;
    if (step.kind === 'element') return { done: false, value: step.bytes };
    this.#finish();
    const last = step.kind === 'end' ? this.#source.end() : this.#source.fail(step.error);
    return last ? { done: false, value: last } : done;
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#over) {
      this.#finish();
      this.#source.call.cancel(new FlotillaError('CANCELLED', 'the reader left the stream before its end'));
      this.#leave();
    }
    return done;
  }

  async #pull(): Promise<Step> {
    const { elements, call } = this.#source;
    try {
      // The handler's generator runs in whatever asks it: its call has to be given to it each time.
      const next = runInCall(call, () => elements.next());
      const result = await within(call, next);
      if (result.done) return { kind: 'end' };
      return { kind: 'element', bytes: await this.#source.encode(result.value) };
    } catch (thrown) {
      this.#leave();
      return { kind: 'failed', error: await this.#source.explain(thrown) };
    }
  }

  #orHeartbeat(step: Promise<Step>): Promise<Step | 'heartbeat'> {
    const { clock, heartbeatMs } = this.#source;
    this.#waitingSince = clock.now();
    return new Promise((resolve) => {
      this.#beat = () => resolve('heartbeat');
      this.#timer ??= this.#arm(heartbeatMs);
      void step.then((ready) => {
        this.#beat = undefined;
        resolve(ready);
      });
    });
  }

  /** One timer serves many elements: it looks how long the present wait has lasted, and sleeps for the rest. */
  #arm(delayMs: number): Timer {
    const { clock, heartbeatMs } = this.#source;
    const look = (): void => {
      this.#timer = undefined;
      const beat = this.#beat;
      if (!beat) return;
      const leftMs = this.#waitingSince + heartbeatMs - clock.now();
      if (leftMs > 0) this.#timer = this.#arm(leftMs);
      else beat();
    };
    return clock.setTimer(delayMs, look, { background: true });
  }

  #finish(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  /** Not awaited: a generator that waits for something ends when that comes, and its error then is nobody's. */
  #leave(): void {
    const { elements, call } = this.#source;
    Promise.try(() => runInCall(call, () => elements.return?.())).catch(() => undefined);
  }
}

const done: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });
