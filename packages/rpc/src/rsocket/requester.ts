import { FlotillaError } from '@flotilla/core';
import { frameFlag, frameType, largestInt } from './frame.ts';
import type { FrameView } from './frame-view.ts';
import { messageTooLong } from './limits.ts';
import type { Link } from './link.ts';
import type { Sendable } from './out-buffer.ts';
import type { PayloadView } from './payload-view.ts';
import { Reassembly } from './reassembly.ts';
import type { RSocketReceiver } from './requester-port.ts';
import { RequesterStream, type StreamOwner } from './requester-stream.ts';
import type { Sender } from './sender.ts';
import { StreamTable } from './stream-table.ts';

/** Our own requests on a connection: their ids, their answers, their ends. */
export class Requester implements StreamOwner {
  readonly sender: Sender;
  readonly #link: Link;
  readonly #streams = new StreamTable<RequesterStream>();
  readonly #firstId: number;
  #lastId: number;
  #wrapped = false;
  #refusing: FlotillaError | undefined;

  /** @param lastId where the count of ids goes on from. Default: before the first */
  constructor(link: Link, firstId: 1 | 2, lastId: number = firstId - 2) {
    this.#link = link;
    this.sender = link.sender;
    this.#firstId = firstId;
    this.#lastId = lastId;
  }

  /** Requests without an end. */
  get size(): number {
    return this.#streams.size;
  }

  /** Nothing new is sent from now on; what is in hand goes on. */
  refuse(reason: FlotillaError): void {
    this.#refusing ??= reason;
  }

  get refusing(): FlotillaError | undefined {
    return this.#refusing;
  }

  requestResponse(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    receiver: RSocketReceiver,
  ): RequesterStream {
    return this.#request(frameType.requestResponse, 0, 1, metadata, data, receiver, true, 0);
  }

  fireAndForget(metadata: Sendable | undefined, data: Sendable | undefined): void {
    this.#admit();
    this.sender.message(this.#nextId(), frameType.fireAndForget, 0, 0, metadata, data);
  }

  requestStream(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    initialN: number,
    receiver: RSocketReceiver,
  ): RequesterStream {
    const n = demandOf(initialN);
    return this.#request(frameType.requestStream, n, n, metadata, data, receiver, true, 0);
  }

  requestChannel(
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    initialN: number,
    receiver: RSocketReceiver,
    isLast = false,
  ): RequesterStream {
    const n = demandOf(initialN);
    const flags = isLast ? frameFlag.complete : 0;
    return this.#request(frameType.requestChannel, n, n, metadata, data, receiver, isLast, flags);
  }

  /** A frame of one of our streams. @returns what makes the connection unusable */
  frame(frame: FrameView): string | undefined {
    const stream = this.#streams.get(frame.streamId);
    if (!stream) {
      const unused = !this.#wrapped && frame.streamId > this.#lastId;
      if (unused && (frame.type === frameType.payload || frame.type === frameType.error)) {
        return `an answer on stream ${frame.streamId}, on which nothing was asked`;
      }
      return undefined; // late: it crossed our CANCEL
    }
    switch (frame.type) {
      case frameType.payload:
        return this.#payload(stream, frame);
      case frameType.error:
        this.#remove(stream);
        stream.receiver.error(frame.number, frame.dataText());
        return undefined;
      case frameType.requestN:
        this.#requested(stream, frame.number);
        return undefined;
      case frameType.cancel:
        this.#inputCancelled(stream);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Of a stream: forget it and tell the peer. */
  cancel(stream: RequesterStream): void {
    const queued = this.sender.drop(stream.id);
    const wasAnswered = stream.answered;
    this.#remove(stream);
    if (queued === 'unsent' && stream.position >= this.sender.handed) return;
    if (wasAnswered)
      this.sender.error(stream.id, 0x203, ''); // only our own items are open: CANCEL would not end them
    else this.sender.control(stream.id, frameType.cancel, 0);
  }

  abort(stream: RequesterStream, code: number, text: string): void {
    this.#remove(stream);
    this.sender.error(stream.id, code, text);
  }

  allSent(stream: RequesterStream): void {
    stream.sentAll = true;
    if (stream.answered) this.#remove(stream);
  }

  /** The connection is over. What was not handed to it was certainly not done. */
  fail(error: FlotillaError): void {
    const { handed } = this.sender;
    for (const stream of this.#streams.all()) {
      const unsent = stream.position >= handed || this.sender.drop(stream.id) === 'unsent';
      const wasAnswered = stream.answered;
      this.#remove(stream);
      if (wasAnswered) stream.receiver.inputCancelled?.();
      else stream.receiver.failed(unsent && error.executed !== 'no' ? notSent(error) : error);
    }
  }

  /** Streams of which nothing has come since before. */
  sweep(now: number, timeoutMs: number): void {
    for (const stream of this.#streams.all()) {
      const { partial } = stream;
      if (!partial) continue;
      partial.touchedAt ??= now;
      if (now - partial.touchedAt < timeoutMs) continue;
      this.#giveUp(
        stream,
        new FlotillaError('BAD_RESPONSE', `no further fragment of the answer within ${timeoutMs} ms`),
      );
    }
  }

  #request(
    kind: number,
    initialN: number,
    demand: number,
    metadata: Sendable | undefined,
    data: Sendable | undefined,
    receiver: RSocketReceiver,
    sentAll: boolean,
    flags: number,
  ): RequesterStream {
    this.#admit();
    const id = this.#nextId();
    const stream = new RequesterStream(this, id, kind, demand, sentAll, receiver, this.sender.position);
    this.sender.message(id, kind, flags, initialN, metadata, data);
    this.#streams.add(stream);
    return stream;
  }

  /** @throws FlotillaError UNAVAILABLE, `executed: no` */
  #admit(): void {
    if (this.#refusing) throw this.#refusing;
    const { maxOutbound } = this.#link.limits;
    if (this.#streams.size >= maxOutbound) {
      throw new FlotillaError('UNAVAILABLE', `${maxOutbound} requests are open on this connection (maxOutbound)`);
    }
    if (this.sender.congested) {
      const waiting = this.sender.queuedBytes + this.sender.bulkBytes;
      throw new FlotillaError(
        'UNAVAILABLE',
        `${waiting} bytes wait for the peer to take them (maxQueuedBytes, maxBulkBytes)`,
      );
    }
    this.#link.leases?.take();
  }

  #nextId(): number {
    do {
      if (this.#lastId + 2 > largestInt) {
        this.#lastId = this.#firstId;
        this.#wrapped = true;
      } else {
        this.#lastId += 2;
      }
    } while (this.#wrapped && this.#streams.get(this.#lastId));
    return this.#lastId;
  }

  #payload(stream: RequesterStream, frame: FrameView): string | undefined {
    const complete = frame.has(frameFlag.complete);
    const follows = frame.has(frameFlag.follows) && !complete;
    if (!complete && !follows && !stream.partial && !frame.has(frameFlag.next)) return 'a PAYLOAD without N and C';
    if (stream.answered) return undefined;
    if (follows || stream.partial) this.#fragment(stream, frame, follows, complete);
    else if (frame.end - frame.start > this.#link.limits.maxPayloadBytes + 16) this.#tooLong(stream);
    else this.#deliver(stream, frame, frame.has(frameFlag.next), complete);
    return undefined;
  }

  #fragment(stream: RequesterStream, frame: FrameView, follows: boolean, complete: boolean): void {
    stream.partial ??= new Reassembly(this.#link);
    const problem = stream.partial.add(frame);
    if (problem !== undefined) {
      this.#giveUp(stream, new FlotillaError('BAD_RESPONSE', `the peer answered with ${problem.detail}`));
    } else if (!follows) {
      const { partial } = stream;
      stream.partial = undefined;
      try {
        this.#deliver(stream, partial.finish(this.#link.whole), true, complete);
      } finally {
        partial.release();
      }
    }
  }

  #deliver(stream: RequesterStream, payload: PayloadView, hasItem: boolean, complete: boolean): void {
    const isLast = complete || stream.kind === frameType.requestResponse;
    if (hasItem && stream.demand === 0) {
      const detail = 'the peer sent more items than it was asked for';
      this.#giveUp(stream, new FlotillaError('BAD_RESPONSE', detail));
      return;
    }
    if (hasItem && stream.demand !== largestInt) stream.demand--;
    if (isLast) {
      stream.answered = true;
      if (stream.sentAll) this.#remove(stream);
    }
    if (hasItem) stream.receiver.next(payload);
    if (isLast) stream.receiver.complete();
  }

  #tooLong(stream: RequesterStream): void {
    const { detail } = messageTooLong(this.#link.limits);
    this.#giveUp(stream, new FlotillaError('BAD_RESPONSE', `the peer answered with ${detail}`));
  }

  #giveUp(stream: RequesterStream, error: FlotillaError): void {
    this.cancel(stream);
    stream.receiver.failed(error);
  }

  #requested(stream: RequesterStream, n: number): void {
    if (stream.sentAll || n === 0) return;
    const more = Math.min(n, largestInt);
    stream.credit = Math.min(stream.credit + more, largestInt);
    stream.receiver.requested?.(more);
  }

  #inputCancelled(stream: RequesterStream): void {
    if (stream.sentAll) return;
    this.sender.drop(stream.id);
    this.allSent(stream);
    stream.receiver.inputCancelled?.();
  }

  #remove(stream: RequesterStream): void {
    stream.partial?.release();
    stream.partial = undefined;
    stream.answered = true;
    stream.sentAll = true;
    if (this.#streams.delete(stream)) this.#link.streamEnded();
  }
}

/** @throws RangeError for a demand that is none: it must be from 1 on */
function demandOf(n: number): number {
  if (!(n >= 1)) throw new RangeError(`the initial demand must be from 1 on, got ${n}`);
  return Math.min(Math.floor(n), largestInt);
}

function notSent(error: FlotillaError): FlotillaError {
  return new FlotillaError(error.code, `${error.detail}; the request had not been sent`, {
    executed: 'no',
    cause: error,
  });
}
