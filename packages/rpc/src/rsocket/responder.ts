import { FlotillaError, toFlotillaError } from '@flotilla/core';
import { frameFlag, frameType, largestInt, rsocketError } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import type { LeaseGranter } from './leases.ts';
import { messageTooLong } from './limits.ts';
import type { Link } from './link.ts';
import type { Sendable } from './out-buffer.ts';
import type { PayloadView } from './payload-view.ts';
import { Reassembly } from './reassembly.ts';
import type { RSocketResponder } from './responder-port.ts';
import { type AnswerOwner, ResponderStream } from './responder-stream.ts';
import type { Sender } from './sender.ts';
import { StreamTable } from './stream-table.ts';

/** The peer's requests on a connection. */
export class Responder implements AnswerOwner {
  readonly sender: Sender;
  /** Set where the peer asked for leases. */
  leases: LeaseGranter | undefined;
  /** Requests came since somebody last looked. */
  asked = false;
  /** Requests that were refused. */
  refused = 0;
  readonly #link: Link;
  readonly #handler: RSocketResponder;
  readonly #fault: (error: FlotillaError) => void;
  readonly #peerIsOdd: boolean;
  readonly #streams = new StreamTable<ResponderStream>();
  #refusing: string | undefined;

  /** @param peerFirstId says which ids are the peer's: those that are odd, or even, as it is */
  constructor(link: Link, peerFirstId: 1 | 2, handler: RSocketResponder, fault: (error: FlotillaError) => void) {
    this.#link = link;
    this.sender = link.sender;
    this.#handler = handler;
    this.#fault = fault;
    this.#peerIsOdd = peerFirstId === 1;
  }

  /** Requests in hand. */
  get size(): number {
    return this.#streams.size;
  }

  /** New requests are answered with REJECTED from now on. */
  refuse(why: string): void {
    this.#refusing ??= why;
  }

  /** A request, or a frame of one. @returns what makes the connection unusable */
  frame(frame: FrameView): string | undefined {
    if (frame.type >= frameType.requestResponse && frame.type <= frameType.requestChannel) return this.#request(frame);
    const stream = this.#streams.get(frame.streamId);
    if (!stream) {
      if (frame.type === frameType.cancel) this.sender.drop(frame.streamId); // of an answer that is still on its way
      return undefined; // late: it crossed our answer
    }
    switch (frame.type) {
      case frameType.payload:
        return this.#payload(stream, frame);
      case frameType.requestN:
        this.#requested(stream, frame.number);
        return undefined;
      case frameType.cancel:
        this.#cancelled(stream, new FlotillaError('CANCELLED', 'the caller no longer wants the answer'));
        return undefined;
      case frameType.error:
        this.#remove(stream);
        this.#tellFailed(stream, frame);
        return undefined;
      default:
        return undefined;
    }
  }

  answered(stream: ResponderStream): void {
    stream.answered = true;
    if (stream.receivedAll) this.#remove(stream);
  }

  failed(stream: ResponderStream, code: number, text: Sendable): void {
    this.#remove(stream);
    this.sender.error(stream.id, code, text, 'behind');
  }

  inputOver(stream: ResponderStream): void {
    stream.receivedAll = true;
    if (stream.answered) this.#remove(stream);
  }

  /** The connection is over. */
  cancelAll(reason: FlotillaError): void {
    for (const stream of this.#streams.all()) this.#cancelled(stream, reason);
  }

  /** Requests of which no further fragment comes. */
  sweep(now: number, timeoutMs: number): void {
    for (const stream of this.#streams.all()) {
      const { partial } = stream;
      if (!partial) continue;
      partial.touchedAt ??= now;
      if (now - partial.touchedAt < timeoutMs) continue;
      this.#giveUp(stream, new FlotillaError('REQUEST_TIMEOUT', `no further fragment within ${timeoutMs} ms`));
    }
  }

  #request(frame: FrameView): string | undefined {
    const { streamId, type } = frame;
    if (((streamId & 1) === 1) !== this.#peerIsOdd) return `a request on stream ${streamId}, which is ours to begin`;
    this.asked = true;
    if (this.#streams.get(streamId)) return undefined;
    const refused = this.#refusal(frame);
    if (refused !== undefined) {
      this.refused++;
      if (type !== frameType.fireAndForget) this.sender.error(streamId, rsocketError.REJECTED, refused);
      return undefined;
    }
    const hasN = type >= frameType.requestStream;
    const n = hasN ? frame.number : 1;
    if (n === 0) {
      this.sender.error(streamId, rsocketError.INVALID, 'an initial demand of 0: it must be from 1 on');
      return undefined;
    }
    const complete = type === frameType.requestChannel && frame.has(frameFlag.complete);
    const receivedAll = type !== frameType.requestChannel || complete;
    const stream = new ResponderStream(this, streamId, type, Math.min(n, largestInt), receivedAll);
    if (frame.has(frameFlag.follows) && !complete) {
      stream.incomplete = true;
      this.#streams.add(stream);
      this.#fragment(stream, frame, true, false);
      return undefined;
    }
    if (type === frameType.fireAndForget) stream.answered = true;
    else this.#streams.add(stream);
    this.#handle(stream, frame);
    return undefined;
  }

  #refusal(frame: FrameView): Sendable | undefined {
    if (this.#refusing !== undefined) return this.#refusing;
    const { limits } = this.#link;
    const { maxInbound } = limits;
    if (this.#streams.size >= maxInbound) return `${maxInbound} requests are in hand on this connection (maxInbound)`;
    if (frame.end - frame.start > limits.maxPayloadBytes + 16) return this.#said(messageTooLong(limits));
    if (this.leases && !this.leases.take()) return 'no lease for this request: wait for the next LEASE';
    return undefined;
  }

  #handle(stream: ResponderStream, request: PayloadView): void {
    try {
      this.#dispatch(stream, request);
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      if (error.code === 'INTERNAL') this.#fault(error);
      stream.fail(error);
    }
  }

  #dispatch(stream: ResponderStream, request: PayloadView): void {
    const handler = this.#handler;
    switch (stream.kind) {
      case frameType.requestResponse:
        if (handler.requestResponse) handler.requestResponse(request, stream);
        else stream.error(rsocketError.REJECTED, 'request-response is not served here');
        return;
      case frameType.fireAndForget:
        handler.fireAndForget?.(request);
        return;
      case frameType.requestStream:
        if (handler.requestStream) handler.requestStream(request, stream);
        else stream.error(rsocketError.REJECTED, 'request-stream is not served here');
        return;
      default:
        if (handler.requestChannel) handler.requestChannel(request, stream);
        else stream.error(rsocketError.REJECTED, 'request-channel is not served here');
    }
  }

  #payload(stream: ResponderStream, frame: FrameView): string | undefined {
    const complete = frame.has(frameFlag.complete);
    const follows = frame.has(frameFlag.follows) && !complete;
    if (!complete && !follows && !stream.partial && !frame.has(frameFlag.next)) return 'a PAYLOAD without N and C';
    if (stream.receivedAll && !stream.incomplete) return undefined;
    if (follows || stream.partial) this.#fragment(stream, frame, follows, complete);
    else if (frame.end - frame.start > this.#link.limits.maxPayloadBytes + 16) {
      this.#giveUp(stream, messageTooLong(this.#link.limits));
    } else this.#item(stream, frame, frame.has(frameFlag.next), complete);
    return undefined;
  }

  #fragment(stream: ResponderStream, frame: FrameView, follows: boolean, complete: boolean): void {
    stream.partial ??= new Reassembly(this.#link, this.#link.room);
    const problem = stream.partial.add(frame);
    if (problem !== undefined) {
      this.#giveUp(stream, problem);
      return;
    }
    if (follows) return;
    const { partial } = stream;
    stream.partial = undefined;
    try {
      this.#whole(stream, partial.finish(this.#link.whole), complete);
    } finally {
      partial.release();
    }
  }

  /** The last fragment came. */
  #whole(stream: ResponderStream, payload: PayloadView, complete: boolean): void {
    if (!stream.incomplete) {
      this.#item(stream, payload, true, complete);
      return;
    }
    stream.incomplete = false;
    if (complete) stream.receivedAll = true;
    if (stream.kind === frameType.fireAndForget) {
      stream.answered = true;
      this.#remove(stream);
    }
    this.#handle(stream, payload);
  }

  #item(stream: ResponderStream, payload: PayloadView, hasItem: boolean, complete: boolean): void {
    if (hasItem && stream.demand === 0) {
      this.#cancelled(stream, new FlotillaError('CANCELLED', 'the caller sent more items than it was asked for'));
      const text = 'The number of messages received exceeds the number requested';
      this.sender.error(stream.id, rsocketError.CANCELED, text);
      return;
    }
    if (hasItem && stream.demand !== largestInt) stream.demand--;
    const { listener } = stream;
    if (complete) this.inputOver(stream);
    try {
      if (hasItem) listener?.next?.(payload);
      if (complete) listener?.completed?.();
    } catch (thrown) {
      this.#fault(toFlotillaError(thrown));
      stream.fail(toFlotillaError(thrown));
    }
  }

  /** A request that cannot be taken was not handled, so it is REJECTED; a channel under way ends. */
  #giveUp(stream: ResponderStream, problem: FlotillaError): void {
    const { code, detail, data } = problem;
    const isNew = stream.incomplete;
    this.#cancelled(stream, new FlotillaError('CANCELLED', `the caller sent ${detail}`));
    if (stream.kind === frameType.fireAndForget) return;
    const told = isNew ? problem : new FlotillaError(code, detail, { data, executed: 'unknown' });
    this.sender.error(stream.id, isNew ? rsocketError.REJECTED : rsocketError.CANCELED, this.#said(told));
  }

  /** An error of the engine's own as the peer reads it. */
  #said(error: FlotillaError): Sendable {
    return this.#handler.refusal?.(error) ?? error.detail;
  }

  #requested(stream: ResponderStream, n: number): void {
    if (stream.answered || n === 0 || stream.kind === frameType.requestResponse) return;
    const more = Math.min(n, largestInt);
    stream.credit = Math.min(stream.credit + more, largestInt);
    stream.listener?.requested?.(more);
  }

  #cancelled(stream: ResponderStream, reason: FlotillaError): void {
    this.sender.drop(stream.id);
    const wasAnswered = stream.answered;
    this.#remove(stream);
    if (!wasAnswered || stream.kind === frameType.requestChannel) stream.listener?.cancelled?.(reason);
  }

  #tellFailed(stream: ResponderStream, frame: FrameView): void {
    const { listener } = stream;
    if (listener?.failed) listener.failed(frame.number, frame.dataText());
    else listener?.cancelled?.(new FlotillaError('CANCELLED', 'the caller ended the call with an error'));
  }

  #remove(stream: ResponderStream): void {
    stream.partial?.release();
    stream.partial = undefined;
    stream.answered = true;
    stream.receivedAll = true;
    if (this.#streams.delete(stream)) this.#link.streamEnded();
  }
}
