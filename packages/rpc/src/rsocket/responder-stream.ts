import type { FlotillaError } from '@flotilla/core';
import { frameFlag, frameType, largestInt } from './frame.ts';
import type { Sendable } from './out-buffer.ts';
import type { PayloadView } from './payload-view.ts';
import type { Reassembly } from './reassembly.ts';
import { spend } from './requester-stream.ts';
import type { Sender } from './sender.ts';
import { rsocketCodeOf } from './wire-errors.ts';

/** What the handler of a request wants to hear; set as {@link ResponderStream.listener}. */
export interface ResponderListener {
  /** Nobody wants the answer any more: by CANCEL, or because the connection is over. Nothing follows. */
  cancelled?(reason: FlotillaError): void;
  /** The requester takes `n` more items. */
  requested?(n: number): void;
  /** Of a channel: the next item from the requester. */
  next?(item: PayloadView): void;
  /** Of a channel: the requester has no more items. The answer goes on. */
  completed?(): void;
  /** Of a channel: the requester failed, which ends both directions. */
  failed?(code: number, text: string): void;
}

/** Who keeps the streams. */
export interface AnswerOwner {
  readonly sender: Sender;
  /** The answer is whole. */
  answered(stream: ResponderStream): void;
  /** The answer is an error. */
  failed(stream: ResponderStream, code: number, text: Sendable): void;
  /** The peer's items are over. */
  inputOver(stream: ResponderStream): void;
}

/**
 * A request of the peer, and the way to answer it. Once it is over, all methods do nothing.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | partial: its request has not come in whole | nothing: no handler knows of it | answer open |
 * | answer open | {@link next} within {@link credit}, {@link complete}, {@link error} | over |
 * | over | nothing | none |
 *
 * A channel has a second half: items of the peer come as far as {@link requestN} asked for them, until it completes.
 */
export class ResponderStream {
  readonly id: number;
  /** The frame type that began it. */
  readonly kind: number;
  /** Set by the handler. */
  listener: ResponderListener | undefined = undefined;
  /** Items that may still be sent. */
  credit: number;
  /** Items of the peer that were asked for and have not come. */
  demand = 0;
  /** Is the answer whole? */
  answered = false;
  /** Has the peer sent all its items? True from the begin, but for channels. */
  receivedAll: boolean;
  partial: Reassembly | undefined = undefined;
  /** Of a request in fragments: not handed to anybody yet. */
  incomplete = false;
  readonly #owner: AnswerOwner;

  constructor(owner: AnswerOwner, id: number, kind: number, credit: number, receivedAll: boolean) {
    this.#owner = owner;
    this.id = id;
    this.kind = kind;
    this.credit = credit;
    this.receivedAll = receivedAll;
  }

  /** Does nobody wait for the answer, because it was given or is not wanted? */
  get over(): boolean {
    return this.answered;
  }

  /** Is so much waiting to be sent that an answer of many items should pause? See {@link whenClear}. */
  get congested(): boolean {
    return this.#owner.sender.congested;
  }

  /** Calls `run` once when items may be made again, or when the connection is over. */
  whenClear(run: () => void): void {
    this.#owner.sender.whenClear(run);
  }

  /** Sends an item. @throws RangeError without {@link credit} for it */
  next(data: Sendable | undefined, metadata?: Sendable): void {
    if (this.answered) return;
    if (this.kind === frameType.requestResponse) {
      this.respond(data, metadata);
      return;
    }
    spend(this);
    this.#owner.sender.message(this.id, frameType.payload, frameFlag.next, 0, metadata, data);
  }

  /** Sends the only item, or the last one. */
  respond(data: Sendable | undefined, metadata?: Sendable): void {
    if (this.answered) return;
    if (this.kind !== frameType.requestResponse) spend(this);
    this.#owner.sender.message(this.id, frameType.payload, lastItem, 0, metadata, data);
    this.#owner.answered(this);
  }

  /** There are no more items; of a request for one: the answer is empty. */
  complete(): void {
    if (this.answered) return;
    this.#owner.sender.message(this.id, frameType.payload, frameFlag.complete, 0, undefined, undefined);
    this.#owner.answered(this);
  }

  /** Answers with an ERROR frame, which ends both directions. */
  error(code: number, text: Sendable): void {
    if (this.answered) return;
    this.#owner.failed(this, code, text);
  }

  /** {@link error} with the code and the text of an error of ours. */
  fail(error: FlotillaError): void {
    this.error(rsocketCodeOf(error), error.detail);
  }

  /** Of a channel: asks for `n` more items, from 1 on; `Infinity` for all. */
  requestN(n: number): void {
    if (this.receivedAll || !(n > 0)) return;
    const more = Math.min(n, largestInt);
    this.demand = Math.min(this.demand + more, largestInt);
    this.#owner.sender.control(this.id, frameType.requestN, more);
  }

  /** Of a channel: no more items are wanted; the answer goes on. */
  cancelInput(): void {
    if (this.receivedAll) return;
    this.#owner.sender.control(this.id, frameType.cancel, 0);
    this.#owner.inputOver(this);
  }
}

const lastItem = frameFlag.next | frameFlag.complete;
