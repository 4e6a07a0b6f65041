import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { Sendable } from './out-buffer.ts';
import type { PayloadView } from './payload-view.ts';
import type { PartialRoom } from './reassembly.ts';
import type { RSocketReceiver } from './requester-port.ts';
import { errorOfFrame } from './wire-errors.ts';

/** How an inbound stream is read. */
export interface InboundOptions<T> {
  /** Makes a value of an item, which is in place only during this call. What it throws ends the stream. */
  readonly decode: (payload: PayloadView) => T;
  /** Items that are asked for ahead of the reader. Default 32; the next half is asked for when half of them are read. */
  readonly window?: number;
  /** Where bytes of items that nobody has read yet count. One that finds no room ends the stream: UNAVAILABLE. Default: nowhere. */
  readonly room?: PartialRoom;
  /** Makes an error of an ERROR frame. Default: {@link errorOfFrame}. */
  readonly errorOf?: (code: number, text: string) => FlotillaError;
  /** The last item was read, the stream failed, or the reader left (undefined). Called once. */
  readonly onEnd?: (error: FlotillaError | undefined) => void;
}

/** Where an inbound stream comes from: a {@link RequesterStream}, or the input of a channel. */
export interface InboundSource {
  requestN(n: number): void;
  /** The reader left before the end. */
  cancel(): void;
}

/** Room of the process for elements of callers that no handler has read yet. */
export const elementsRoom: PartialRoom = { maxBytes: 268_435_456, bytes: 0 };

export const inboundDefaults: Readonly<{ window: number }> = Object.freeze({ window: 32 });

/**
 * Items of the peer as an async iterable. It is a receiver (and a listener): give it to a request, then `attach` the
 * stream. Demand follows the reader, so no more than the window is ever kept here. It can be read once.
 *
 * ```ts
 * const items = new Inbound({ decode: (payload) => JSON.parse(payload.dataText()) });
 * items.attach(connection.requestStream(route, '{}', items.window, items));
 * for await (const item of items) …
 * ```
 */
export class Inbound<T> implements AsyncIterable<T, undefined>, RSocketReceiver {
  readonly window: number;
  readonly #options: InboundOptions<T>;
  #source: InboundSource | undefined;
  readonly #items: T[] = [];
  #room: PartialRoom | undefined;
  /** Bytes of the items, while they count in the room. */
  readonly #sizes: number[] = [];
  /** Items read since more were asked for. */
  #read = 0;
  #ended = false;
  #error: FlotillaError | undefined;
  #told = false;
  #reader:
    | { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: FlotillaError) => void }
    | undefined;

  constructor(options: InboundOptions<T>) {
    this.#options = options;
    this.#room = options.room;
    this.window = options.window ?? inboundDefaults.window;
    if (!(this.window >= 1)) throw new RangeError(`window must be from 1 on, got ${this.window}`);
  }

  attach(source: InboundSource): this {
    this.#source = source;
    return this;
  }

  /** Ends it from this side: the peer is told CANCEL, the reader gets `reason` after what is already here. */
  cancel(reason: FlotillaError): void {
    if (this.#ended) return;
    this.#source?.cancel();
    this.failed(reason);
  }

  /** The work that reads it is over: what was not read counts no more. */
  release(): void {
    if (this.#room) for (const size of this.#sizes.splice(0)) this.#room.bytes -= size;
    this.#room = undefined;
  }

  /** Of a receiver, and of a listener. */
  next(payload: PayloadView): void {
    if (this.#ended) return;
    let value: T;
    try {
      value = this.#options.decode(payload);
    } catch (thrown) {
      this.cancel(toFlotillaError(thrown));
      return;
    }
    const reader = this.#reader;
    if (!reader) {
      if (this.#room && !this.#enter(this.#room, payload.dataLength)) return;
      this.#items.push(value);
      return;
    }
    this.#reader = undefined;
    this.#wasRead();
    reader.resolve({ value, done: false });
  }

  complete(): void {
    this.#end(undefined);
  }

  /** Of a listener: the same. */
  completed(): void {
    this.#end(undefined);
  }

  error(code: number, text: string): void {
    this.#end((this.#options.errorOf ?? errorOfFrame)(code, text));
  }

  failed(error: FlotillaError): void {
    this.#end(error);
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.#pull(), return: () => this.#leave() };
  }

  /** The reader leaves early. */
  #leave(): Promise<IteratorResult<T, undefined>> {
    this.#items.length = 0;
    this.release();
    if (!this.#ended) {
      this.#ended = true;
      this.#source?.cancel();
    }
    this.#tell(this.#error);
    this.#reader?.resolve(done);
    this.#reader = undefined;
    return Promise.resolve(done);
  }

  #pull(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift() as T;
      if (this.#room) this.#room.bytes -= this.#sizes.shift() ?? 0;
      this.#wasRead();
      return Promise.resolve({ value, done: false });
    }
    if (this.#ended) {
      this.#tell(this.#error);
      if (!this.#error) return Promise.resolve(done);
      const error = this.#error;
      this.#error = undefined; // an iterator fails once
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #enter(room: PartialRoom, bytes: number): boolean {
    if (room.bytes + bytes > room.maxBytes) {
      const detail = `no room for an element that nobody reads yet: ${room.maxBytes} bytes of requests wait over all connections`;
      this.cancel(new FlotillaError('UNAVAILABLE', detail, { executed: 'unknown' }));
      return false;
    }
    room.bytes += bytes;
    this.#sizes.push(bytes);
    return true;
  }

  #wasRead(): void {
    if (this.#ended) return;
    this.#read++;
    if (this.#read * 2 < this.window) return;
    const n = this.#read;
    this.#read = 0;
    this.#source?.requestN(n);
  }

  #end(error: FlotillaError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const reader = this.#reader;
    this.#reader = undefined;
    if (!reader) return;
    this.#tell(error);
    this.#error = undefined;
    if (error) reader.reject(error);
    else reader.resolve(done);
  }

  #tell(error: FlotillaError | undefined): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.onEnd?.(error);
  }
}

const done: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });

/** Where items go: a {@link ResponderStream}, or the own half of a channel. */
export interface OutboundTarget {
  readonly credit: number;
  /** Is so much waiting to be sent that no more items should be made? */
  readonly congested: boolean;
  whenClear(run: () => void): void;
  next(data: Sendable | undefined, metadata?: Sendable): void;
  complete(): void;
}

/** What is told to an {@link Outbound} pump. */
export interface OutboundOptions<T> {
  readonly encode: (value: T) => Sendable;
  /** The source failed: answer with an error. */
  readonly fail: (error: FlotillaError) => void;
  /** It is over: undefined when all items were sent. */
  readonly onEnd?: (error: FlotillaError | undefined) => void;
  /** The call whose work this is: when it is cancelled, the source is closed and `fail` hears the reason. */
  readonly call?: Call;
}

/** A source that is always ready, to a peer that takes all, would keep the event loop from turning. */
const itemsPerTurn = 64;

/**
 * Sends the items of an async iterable as the peer asks for them: an item is pulled only when it may be sent. Tell it
 * of new credit by {@link requested}, of the peer's leaving by {@link cancelled}.
 */
export class Outbound<T> {
  readonly #target: OutboundTarget;
  readonly #iterator: AsyncIterator<T>;
  readonly #options: OutboundOptions<T>;
  readonly #leave: (() => void) | undefined;
  #pulling = false;
  #over = false;
  /** Items sent since others had a turn. */
  #ofTurn = 0;

  constructor(source: AsyncIterable<T>, target: OutboundTarget, options: OutboundOptions<T>) {
    this.#target = target;
    this.#options = options;
    this.#iterator = source[Symbol.asyncIterator]();
    this.#leave = options.call?.onCancel((reason) => this.#failed(reason, true));
    this.#pump();
  }

  /** The peer takes more items. */
  requested(): void {
    this.#ofTurn = 0;
    this.#pump();
  }

  /** The peer wants no more, or is gone. */
  cancelled(reason: FlotillaError = new FlotillaError('CANCELLED', 'the peer wants no more items')): void {
    if (!this.#finish(reason)) return;
    this.#close();
  }

  readonly #pump = (): void => {
    if (this.#over || this.#pulling || this.#target.credit <= 0) return;
    this.#pulling = true;
    if (this.#ofTurn >= itemsPerTurn || this.#target.congested) {
      this.#target.whenClear(this.#onward);
      return;
    }
    let pulled: Promise<IteratorResult<T>>;
    try {
      pulled = this.#iterator.next();
    } catch (thrown) {
      this.#pulling = false;
      this.#failed(toFlotillaError(thrown), false);
      return;
    }
    pulled.then(this.#pulled, this.#rejected);
  };

  readonly #onward = (): void => {
    this.#pulling = false;
    this.#ofTurn = 0;
    this.#pump();
  };

  readonly #pulled = (result: IteratorResult<T>): void => {
    this.#pulling = false;
    if (this.#over) return;
    if (result.done) {
      this.#finish(undefined);
      this.#target.complete();
      return;
    }
    try {
      this.#target.next(this.#options.encode(result.value));
      this.#ofTurn++;
    } catch (thrown) {
      this.#failed(toFlotillaError(thrown), true);
      return;
    }
    this.#pump();
  };

  readonly #rejected = (thrown: unknown): void => {
    this.#pulling = false;
    this.#failed(toFlotillaError(thrown), false);
  };

  #failed(error: FlotillaError, isOpen: boolean): void {
    if (!this.#finish(error)) return;
    this.#options.fail(error);
    if (isOpen) this.#close();
  }

  #finish(error: FlotillaError | undefined): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#leave?.();
    this.#options.onEnd?.(error);
    return true;
  }

  /** Lets the source clean up. It may be in the middle of an item: then it hears of it afterwards. */
  #close(): void {
    try {
      void Promise.resolve(this.#iterator.return?.()).catch(nothing);
    } catch {
      // it was told to stop; how it does so is its own affair
    }
  }
}

function nothing(): void {}
