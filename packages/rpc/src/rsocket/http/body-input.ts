import { FlotillaError } from '@flotilla/core';
import { ChunkQueue } from '@flotilla/http/engine';
import type { PayloadView } from '../payload-view.ts';
import { bodyWindow, Demand } from './demand.ts';

/** Where the items of a body come from, and who is told of its end. */
export interface BodyInputEvents {
  /** Asks the peer for more items. */
  requestN(n: number): void;
  /** The reader left before the end. */
  left(): void;
  /** The last chunk was read, or the body broke. */
  done(error: FlotillaError | undefined): void;
  /** What came is not what the head said. The body breaks with the error that this gives. */
  mismatch(what: string): FlotillaError;
}

/** A body that comes in items, read as a stream: as many as its reader keeps up with are on their way, and no more. */
export class BodyInput {
  readonly chunks: ChunkQueue;
  readonly #events: BodyInputEvents;
  readonly #declared: number | undefined;
  readonly #maxBytes: number;
  readonly #demand: Demand;
  #received = 0;
  #begun: boolean;

  /**
   * @param declared what `content-length` says
   * @param asked items that the peer was asked for at the begin; 0: none before the reader wants one
   */
  constructor(declared: number | undefined, maxBytes: number, asked: number, events: BodyInputEvents) {
    this.#declared = declared;
    this.#maxBytes = maxBytes;
    this.#events = events;
    this.#demand = new Demand(bodyWindow, asked);
    this.#begun = asked > 0;
    this.chunks = new ChunkQueue({
      started: () => this.#begin(),
      roomy: () => this.#ask(this.#demand.more()),
      left: () => events.left(),
      done: (error) => events.done(error),
    });
  }

  /** Bytes that have come. */
  get received(): number {
    return this.#received;
  }

  /** The first item, which came with the head and cost no demand. */
  first(payload: PayloadView): void {
    if (payload.dataLength > 0) this.#push(payload);
  }

  /** The next item. */
  next(payload: PayloadView): void {
    const roomy = this.#push(payload);
    this.#ask(this.#demand.came(roomy));
  }

  /** There are no more items. */
  end(): void {
    const declared = this.#declared;
    if (declared !== undefined && this.#received < declared) {
      this.chunks.fail(this.#events.mismatch(`only ${this.#received} of the ${declared} bytes`));
    } else this.chunks.end();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#ask(this.#demand.more());
  }

  #ask(n: number): void {
    if (n > 0 && this.#begun) this.#events.requestN(n);
  }

  #push(payload: PayloadView): boolean {
    this.#received += payload.dataLength;
    if (this.#declared !== undefined && this.#received > this.#declared) {
      this.chunks.fail(this.#events.mismatch(`more than the ${this.#declared} bytes`));
      return false;
    }
    if (this.#received > this.#maxBytes) {
      const maxBytes = this.#maxBytes;
      const detail = `the body is over the limit of ${maxBytes} bytes`;
      this.chunks.fail(new FlotillaError('BODY_TOO_LARGE', detail, { data: { maxBytes } }));
      return false;
    }
    return this.chunks.push(payload.copyData());
  }
}
