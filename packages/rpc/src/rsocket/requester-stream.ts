import { frameFlag, frameType, largestInt, rsocketError } from './frame.ts';
import type { Sendable } from './out-buffer.ts';
import type { Reassembly } from './reassembly.ts';
import type { RSocketReceiver } from './requester-port.ts';
import type { Sender } from './sender.ts';

/** Who keeps the streams. */
export interface StreamOwner {
  readonly sender: Sender;
  /** Forgets the stream and tells the peer CANCEL. */
  cancel(stream: RequesterStream): void;
  /** Forgets the stream and tells the peer ERROR. */
  abort(stream: RequesterStream, code: number, text: string): void;
  /** The own items are complete. */
  allSent(stream: RequesterStream): void;
}

/**
 * A request of ours whose answer is not whole.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | both open (channels only) | {@link next}, {@link requestN} | half open, over |
 * | answer open | {@link requestN} | over |
 * | items open (channels only) | {@link next} | over |
 * | over | nothing: all methods do nothing | none |
 */
export class RequesterStream {
  readonly id: number;
  /** The frame type that began it. */
  readonly kind: number;
  readonly receiver: RSocketReceiver;
  /** Where its request begins in all the bytes that the connection sends. */
  readonly position: number;
  /** Items that the peer may still send. */
  demand: number;
  /** Items that we may still send. */
  credit = 0;
  /** Is the answer whole? */
  answered = false;
  /** Are all of our own items sent? True from the begin, but for channels. */
  sentAll: boolean;
  partial: Reassembly | undefined = undefined;
  readonly #owner: StreamOwner;

  constructor(
    owner: StreamOwner,
    id: number,
    kind: number,
    demand: number,
    sentAll: boolean,
    receiver: RSocketReceiver,
    position: number,
  ) {
    this.#owner = owner;
    this.id = id;
    this.kind = kind;
    this.demand = demand;
    this.sentAll = sentAll;
    this.receiver = receiver;
    this.position = position;
  }

  get over(): boolean {
    return this.answered && this.sentAll;
  }

  /** Is so much waiting to be sent that no more items should be made? See {@link whenClear}. */
  get congested(): boolean {
    return this.#owner.sender.congested;
  }

  /** Calls `run` once when items may be made again, or when the connection is over. */
  whenClear(run: () => void): void {
    this.#owner.sender.whenClear(run);
  }

  /** The answer is not wanted any more. The receiver hears nothing more. */
  cancel(): void {
    if (this.over) return;
    this.#owner.cancel(this);
  }

  /** Asks for `n` more items, from 1 on; `Infinity` for all. */
  requestN(n: number): void {
    if (this.answered || !(n > 0)) return;
    const more = Math.min(n, largestInt);
    this.demand = Math.min(this.demand + more, largestInt);
    this.#owner.sender.control(this.id, frameType.requestN, more);
  }

  /** Of a channel: sends an item. @throws RangeError without {@link credit} for it */
  next(data: Sendable | undefined, metadata?: Sendable): void {
    if (this.sentAll) return;
    spend(this);
    this.#owner.sender.message(this.id, frameType.payload, frameFlag.next, 0, metadata, data);
  }

  /** Of a channel: there are no more items. */
  complete(): void {
    if (this.sentAll) return;
    this.#owner.sender.message(this.id, frameType.payload, frameFlag.complete, 0, undefined, undefined);
    this.#owner.allSent(this);
  }

  /** Of a channel: the items cannot be had. That ends both directions; the receiver hears nothing more. */
  error(code: number = rsocketError.APPLICATION_ERROR, text = ''): void {
    if (this.sentAll) return;
    this.#owner.abort(this, code, text);
  }
}

/** One item less. @throws RangeError when there is none */
export function spend(stream: { readonly id: number; credit: number }): void {
  if (stream.credit <= 0) throw new RangeError(`an item on stream ${stream.id} for which the peer has not asked`);
  if (stream.credit !== largestInt) stream.credit--; // that many means all
}
