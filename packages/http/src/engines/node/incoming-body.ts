import type { IncomingMessage, ServerResponse } from 'node:http';
import { FlotillaError } from '@flotilla/core';
import { ChunkQueue } from '../chunk-queue.ts';
import { BodyPace } from './body-pace.ts';
import type { ListenerLimits } from './options.ts';
import type { RequestHead } from './request-head.ts';

/** What an {@link IncomingBody} tells its exchange. */
export interface IncomingBodyEvents {
  /** It broke a limit: the exchange cannot go on. */
  failed(error: FlotillaError): void;
  /** The last byte is here. */
  whole(): void;
}

/**
 * The body of a request.
 *
 * | state | bytes that come | exits |
 * |---|---|---|
 * | `untouched`: nobody has read yet | wait in the kernel | `read`, `discarded` |
 * | `read` | go to the reader, at its pace | `discarded`, `closed` |
 * | `discarded`: nobody wants it | are thrown away up to `maxDiscardBytes`, then left in the kernel | `closed` |
 * | `closed`: whole or broken off | do not come | none |
 */
type State = 'untouched' | 'read' | 'discarded' | 'closed';

/** Reads a request's body when its handler does, and bounds what it costs. */
export class IncomingBody {
  readonly chunks: ChunkQueue;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #head: RequestHead;
  readonly #limits: ListenerLimits;
  readonly #events: IncomingBodyEvents;
  #state: State = 'untouched';
  #received = 0;
  #discarded = 0;
  #broken = false;
  readonly #pace: BodyPace;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
    limits: ListenerLimits,
    events: IncomingBodyEvents,
  ) {
    this.#request = request;
    this.#response = response;
    this.#head = head;
    this.#limits = limits;
    this.#pace = new BodyPace(limits);
    this.#events = events;
    this.chunks = new ChunkQueue({
      started: () => this.#read(),
      roomy: () => this.#request.resume(),
      left: () => this.#discard(),
    });
    request.on('end', () => this.#whole());
  }

  /**
   * A body of known length, where all of it came together with its head: its reader then needs no stream.
   * @returns undefined otherwise, and then nothing has happened
   */
  takeWhole(): Uint8Array | undefined {
    const { length, expectsContinue } = this.#head;
    if (this.#request.readableLength !== length || expectsContinue || this.#state !== 'untouched') return undefined;
    this.#state = 'closed'; // nothing is left to be thrown away, though the parser says so only a moment later
    this.#received = length;
    const bytes = this.#request.read() as Buffer;
    this.#request.resume();
    this.chunks.end();
    return bytes;
  }

  /**
   * The head of an answer that is already whole is about to go out: nobody will read on.
   * @returns false when the connection has to end with it, because the rest of this body is too long to throw away
   */
  settle(): boolean {
    if (this.#request.complete || this.#state === 'closed') return true;
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
  }

  sweep(now: number): void {
    const late = this.#pace.late(now, this.#received, this.#state === 'read' && this.chunks.starved);
    if (late !== undefined) this.fail(new FlotillaError('REQUEST_TIMEOUT', late));
  }

  #read(): void {
    if (this.#state !== 'untouched') return;
    this.#state = 'read';
    if (this.#head.expectsContinue && !this.#response.headersSent) this.#response.writeContinue();
    this.#request.on('data', (chunk: Buffer) => this.#onData(chunk));
  }

  #onData(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#state === 'read') this.#onReadData(chunk);
    else this.#onDiscardedData(chunk);
  }

  #onReadData(chunk: Buffer): void {
    const { maxBodyBytes } = this.#limits;
    if (this.#received > maxBodyBytes) {
      this.fail(new FlotillaError('BODY_TOO_LARGE', `the body is over the limit of ${maxBodyBytes} bytes`));
    } else if (!this.chunks.push(chunk)) this.#request.pause();
  }

  #onDiscardedData(chunk: Buffer): void {
    this.#discarded += chunk.length;
    if (this.#discarded > this.#limits.maxDiscardBytes) this.#request.pause();
  }

  #discard(reason: FlotillaError = new FlotillaError('CANCELLED', 'nobody reads the body any more')): void {
    if (this.#state === 'discarded' || this.#state === 'closed') return;
    if (this.#state === 'untouched') this.#request.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#state = 'discarded';
    this.chunks.abort(reason);
    this.#request.resume();
  }

  /** May the rest be thrown away, so that the connection can go on? */
  get #cheap(): boolean {
    const { length, expectsContinue } = this.#head;
    // Without "100 Continue" the client may never send it (RFC 9110 §10.1.1).
    if (this.#broken || length === undefined || (expectsContinue && this.#state === 'untouched')) return false;
    return length - this.#received <= this.#limits.maxDiscardBytes;
  }

  #whole(): void {
    this.#state = 'closed';
    this.chunks.end();
    this.#events.whole();
  }
}
