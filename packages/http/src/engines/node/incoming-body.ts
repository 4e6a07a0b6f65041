import { FlotillaError } from '@flotilla/core';
import { ChunkQueue } from '../chunk-queue.ts';
import { BodyPace } from './body-pace.ts';
import type { ListenerLimits } from './options.ts';
import type { ReadFields } from './request-head.ts';

/** What an {@link IncomingBody} asks of its connection. */
export interface BodySource {
  /** No more bytes for now: they wait in the kernel. */
  pause(): void;
  resume(): void;
  /** The client may send: it waits to hear so. */
  sendContinue(): void;
}

/** What an {@link IncomingBody} tells its exchange. */
export interface IncomingBodyEvents {
  /** It broke a limit: the exchange cannot go on. */
  failed(error: FlotillaError): void;
  /** The last byte is here. */
  whole(): void;
}

/**
 * The body of a request, where it did not come together with its head.
 *
 * | state | bytes that come | exits |
 * |---|---|---|
 * | `untouched`: nobody has read yet | wait up to the bound of a queue, then in the kernel | `read`, `discarded` |
 * | `read` | go to the reader, at its pace | `discarded`, `closed` |
 * | `discarded`: nobody wants it | are thrown away up to `maxDiscardBytes`, then left in the kernel | `closed` |
 * | `closed`: its exchange is over | do not come | none |
 */
type State = 'untouched' | 'read' | 'discarded' | 'closed';

/** Hands a request's body to its handler at the handler's pace, and bounds what it costs. */
export class IncomingBody {
  readonly chunks: ChunkQueue;
  readonly #source: BodySource;
  readonly #fields: ReadFields;
  readonly #limits: ListenerLimits;
  readonly #events: IncomingBodyEvents;
  readonly #pace: BodyPace;
  #state: State = 'untouched';
  #received = 0;
  #discarded = 0;
  #broken = false;
  #whole = false;
  #paused = false;

  constructor(source: BodySource, fields: ReadFields, limits: ListenerLimits, events: IncomingBodyEvents) {
    this.#source = source;
    this.#fields = fields;
    this.#limits = limits;
    this.#events = events;
    this.#pace = new BodyPace(limits);
    this.chunks = new ChunkQueue({
      started: () => this.#read(),
      roomy: () => this.#resume(),
      left: () => this.#discard(),
    });
  }

  /** True when the last byte has come. */
  get whole(): boolean {
    return this.#whole;
  }

  receive(bytes: Uint8Array): void {
    this.#received += bytes.length;
    const { maxBodyBytes, maxDiscardBytes } = this.#limits;
    if (this.#state === 'closed') return;
    if (this.#state === 'discarded') {
      this.#discarded += bytes.length;
      if (this.#discarded > maxDiscardBytes) this.#pause();
    } else if (this.#received > maxBodyBytes) {
      this.fail(new FlotillaError('BODY_TOO_LARGE', `the body is over the limit of ${maxBodyBytes} bytes`));
    } else if (!this.chunks.push(bytes)) this.#pause();
  }

  /** The last byte has come. */
  end(): void {
    this.#whole = true;
    this.chunks.end();
    this.#events.whole();
  }

  /**
   * The head of an answer that is already whole is about to go out: nobody will read on.
   * @returns false when the connection has to end with it, because the rest of this body is too long to throw away
   */
  settle(): boolean {
    if (this.#whole || this.#state === 'closed') return true;
    const keep = this.#cheap;
    this.#discard();
    return keep;
  }

  /**
   * The answer is out.
   * @returns false when the connection has to end now
   */
  answered(): boolean {
    return this.settle() && this.#discarded <= this.#limits.maxDiscardBytes;
  }

  /** The body cannot be had: its reader and its exchange hear why, and the connection ends with the answer. */
  fail(error: FlotillaError): void {
    if (this.#state === 'closed' || this.#broken) return;
    this.#broken = true;
    this.#discard(error);
    this.#events.failed(error);
  }

  /** The exchange is over. */
  close(why: FlotillaError | undefined): void {
    this.#state = 'closed';
    // Most bodies were read by now: an error that nobody gets would cost more than reading them did.
    if (!this.chunks.settled) this.chunks.abort(why ?? new FlotillaError('CANCELLED', 'the answer is complete'));
    this.#resume();
  }

  sweep(now: number): void {
    const late = this.#pace.late(now, this.#received, this.#state === 'read' && this.chunks.starved);
    if (late !== undefined) this.fail(new FlotillaError('REQUEST_TIMEOUT', late));
  }

  #read(): void {
    if (this.#state !== 'untouched') return;
    this.#state = 'read';
    if (this.#fields.expectsContinue) this.#source.sendContinue();
  }

  #discard(reason: FlotillaError = new FlotillaError('CANCELLED', 'nobody reads the body any more')): void {
    if (this.#state === 'discarded' || this.#state === 'closed') return;
    this.#state = 'discarded';
    this.chunks.abort(reason);
    this.#resume();
  }

  #pause(): void {
    this.#paused = true;
    this.#source.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }

  /** May the rest be thrown away, so that the connection can go on? */
  get #cheap(): boolean {
    const { length, expectsContinue } = this.#fields;
    // Without "100 Continue" the client may never send it (RFC 9110 §10.1.1).
    if (this.#broken || length === undefined || (expectsContinue && this.#state === 'untouched')) return false;
    const read = this.#state === 'untouched' ? 0 : this.#received;
    return length - read <= this.#limits.maxDiscardBytes;
  }
}
