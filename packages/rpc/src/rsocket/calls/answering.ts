import { type Call, type CallScope, FlotillaError, type ReadyHandler, toFlotillaError } from '@flotilla/core';
import type { CallObserver } from '@flotilla/telemetry';
import type { CarriedContext } from '../../context/context-entry.ts';
import { operationKinds } from '../../contract/index.ts';
import { bodyTooLarge } from '../../server/body-type.ts';
import { answeredErrorAttribute, maxInputBytes, type ServedOperation } from '../../server/served-operation.ts';
import { elementsRoom, Inbound, Outbound } from '../flow.ts';
import type { PayloadView } from '../payload-view.ts';
import type { ResponderListener, ResponderStream } from '../responder-stream.ts';
import type { DataCodec } from './data-codec.ts';
import { answerError } from './problem-frame.ts';
import type { Served, ServedRequest } from './served-request.ts';
import type { RoutedOperation } from './served-table.ts';

/** What serves an operation, behind its filters. */
export type OperationHandler = ReadyHandler<ServedRequest, Served>;

/** One request that is being answered. */
export class Answering implements ResponderListener, ServedRequest {
  readonly served: ServedOperation;
  readonly context: CarriedContext;
  readonly #handle: OperationHandler;
  readonly #call: Call;
  readonly #stream: ResponderStream | undefined;
  readonly #codec: DataCodec;
  readonly #peerIsOurs: boolean;
  readonly #observer: CallObserver | undefined;
  readonly #scope: CallScope;
  waited = false;
  /** What nobody has read yet: whoever refuses the call does it without. */
  #unread: PayloadView | undefined;
  #value: unknown;
  #unreadable: FlotillaError | undefined;
  #input: Inbound<unknown> | undefined;
  #output: Outbound<unknown> | undefined;

  constructor(
    { served, entry }: RoutedOperation<OperationHandler>,
    context: CarriedContext,
    call: Call,
    stream: ResponderStream | undefined,
    codec: DataCodec,
    peerIsOurs: boolean,
    payload: PayloadView,
    observer: CallObserver | undefined,
    scope: CallScope,
  ) {
    this.#scope = scope;
    this.#observer = observer;
    this.served = served;
    this.context = context;
    this.#handle = entry;
    this.#call = call;
    this.#stream = stream;
    this.#codec = codec;
    this.#peerIsOurs = peerIsOurs;
    this.#unread = payload;
    if (stream) stream.listener = this;
  }

  get value(): unknown {
    this.#read();
    return this.#value;
  }

  get unreadable(): FlotillaError | undefined {
    this.#read();
    return this.#unreadable;
  }

  /** Does the work, and answers: at once, where the answer is there. */
  begin(): void {
    try {
      const result = this.#scope.run(this.#call, Answering.#handled, this);
      if (!(result instanceof Promise)) {
        this.#answered(result);
        return;
      }
      this.#answerLater(result);
      this.waited = true;
      if (this.#unread) this.#keep(this.#unread);
    } catch (thrown) {
      this.#rejected(thrown);
    }
  }

  #answerLater(result: Promise<Served>): void {
    result.then(
      (answer) => this.#answered(answer),
      (thrown: unknown) => this.#rejected(thrown),
    );
  }

  static #handled(this: void, request: Answering): Served | Promise<Served> {
    return request.#handle(request, request.#call);
  }

  cancelled(reason: FlotillaError): void {
    this.#call.cancel(reason);
    this.#input?.failed(reason);
    this.#output?.cancelled(reason);
    this.#call.end(reason);
  }

  requested(): void {
    this.#output?.requested();
  }

  next(item: PayloadView): void {
    this.#input?.next(item);
  }

  completed(): void {
    this.#input?.completed();
  }

  /** What the caller's own half failed with: the handler hears of it where it reads. */
  failed(code: number, text: string): void {
    this.#read();
    this.#input?.error(code, text);
  }

  /** A filter refused it, or failed: handlers' failures are answers. */
  #rejected(thrown: unknown): void {
    const error = toFlotillaError(thrown);
    this.#observer?.failed(this.served.name, error);
    this.#failedWith(error);
  }

  /** The bytes are lent for this turn only: who waits for its place is read later, from a copy within the limit. */
  #keep(payload: PayloadView): void {
    if (payload.dataLength > maxInputBytes(this.served)) this.#read();
    else this.#unread = payload.detached();
  }

  /** Decodes the input when it is first looked at. */
  #read(): void {
    const payload = this.#unread;
    if (!payload) return;
    this.#unread = undefined;
    const stream = this.#stream;
    if (stream && operationKinds[this.served.info.kind].request === 'many') {
      this.#input = this.#openInput(payload, stream);
      this.#value = this.#input;
      return;
    }
    try {
      this.#value = this.#decode(payload);
    } catch (thrown) {
      this.#unreadable = toFlotillaError(thrown);
    }
  }

  #answered(result: Served): void {
    if (result instanceof FlotillaError) this.#failedWith(result);
    else if (operationKinds[this.served.info.kind].response === 'many') this.#opened(result);
    else this.#whole(result);
  }

  /** One value, or none. */
  #whole(result: Served): void {
    const stream = this.#stream;
    this.#input?.cancel(answered);
    try {
      if (result === undefined) stream?.complete();
      else stream?.respond(this.#codec.encode(result));
      this.#call.end();
    } catch (thrown) {
      this.#failedWith(thrown);
    }
  }

  /** Many values. */
  #opened(result: Served): void {
    const stream = this.#stream;
    if (!stream) return;
    const head = this.#headTimer(stream);
    this.#output = new Outbound(result as AsyncIterable<unknown>, stream, {
      encode: (value) => {
        head.cancel();
        return this.#codec.encode(value);
      },
      fail: (error) => this.#failedWith(error),
      call: this.#call,
      onEnd: (error) => {
        head.cancel();
        if (error) return;
        this.#input?.cancel(answered);
        this.#call.end();
      },
    });
  }

  /**
   * A caller of ours that has waited for a first element is told that the stream has begun: by an item without data, with
   * metadata that are empty, which no element is.
   */
  #headTimer(stream: ResponderStream): { cancel(): void } {
    if (!this.#peerIsOurs) return noTimer;
    return this.#call.clock.setTimer(this.served.headWaitMs, () => {
      if (!stream.over && stream.credit > 0) stream.next(undefined, '');
    });
  }

  #failedWith(thrown: unknown): void {
    const error = toFlotillaError(thrown);
    const call = this.#call;
    this.#unread = undefined;
    if (!call.get(answeredErrorAttribute)) call.set(answeredErrorAttribute, error);
    if (this.#stream) answerError(this.#stream, error, call, this.#peerIsOurs);
    this.#input?.cancel(answered);
    call.end(error);
  }

  #openInput(payload: PayloadView, stream: ResponderStream): Inbound<unknown> {
    const input = new Inbound<unknown>({ decode: (item) => this.#decode(item), room: elementsRoom }).attach({
      requestN: (n) => stream.requestN(n),
      cancel: () => stream.cancelInput(),
    });
    this.#call.onEnd(() => input.release());
    if (payload.dataStart < payload.dataEnd) input.next(payload); // else it only opens the channel
    if (stream.receivedAll) input.completed();
    else stream.requestN(input.window);
    return input;
  }

  #decode(payload: PayloadView): unknown {
    const maxBytes = maxInputBytes(this.served);
    if (payload.dataLength > maxBytes) throw bodyTooLarge(maxBytes, `it has ${payload.dataLength}`);
    return this.#codec.decode(payload);
  }
}

const answered = new FlotillaError('CANCELLED', 'the answer is complete: no more elements are read');

const noTimer = { cancel(): void {} };
