import {
  type Call,
  type Cancellable,
  type Endpoint,
  FlotillaError,
  type ToldAnswer,
  toFlotillaError,
} from '@flotilla/core';
import { withDifference } from '../../client/contract-difference.ts';
import { badResponse, declaredOrBad } from '../../client/http/read-output.ts';
import type { CalledOperation, OperationRequest, OperationResponse } from '../../client/operation-request.ts';
import { elementUnsayable, inputUnsayable } from '../../client/unsayable.ts';
import { operationKinds } from '../../contract/index.ts';
import { Inbound, Outbound } from '../flow.ts';
import type { PayloadView } from '../payload-view.ts';
import type { RSocketPeer } from '../peer.ts';
import type { RSocketReceiver } from '../requester-port.ts';
import type { RequesterStream } from '../requester-stream.ts';
import { CallMetadata } from './call-metadata.ts';
import { type DataCodec, jsonCodec } from './data-codec.ts';
import type { RSocketLinks } from './links.ts';
import { errorOfAnswer } from './problem-frame.ts';

/** How operations are called over RSocket. */
export interface RSocketCallsOptions {
  /** Of an answer or one element of it, in bytes. Default 10,485,760. */
  readonly maxResponseBytes?: number;
  /** Of data: what the SETUP of the links' connections names. Default: JSON. */
  readonly codec?: DataCodec;
}

/**
 * Operations called over RSocket, by their routes `contract.operation`. The answer of a stream begins with its first
 * element, or when the callee says that it is at work. Operations with bytes are not for it.
 */
export function rsocketCalls(
  links: RSocketLinks,
  { maxResponseBytes = 10_485_760, codec = jsonCodec }: RSocketCallsOptions = {},
): Endpoint<OperationRequest, OperationResponse> {
  const terms: Terms = { codec, maxBytes: maxResponseBytes };
  return {
    handle(request, call) {
      const connection = links.current();
      if (connection) return ask(connection, request, call, terms);
      return links.connect(call).then(
        (opened) => ask(opened, request, call, terms),
        (thrown) => refuse(thrown, call),
      );
    },
    get status() {
      return links.status;
    },
    get load() {
      return links.outstanding;
    },
    close: () => links.close(),
  };
}

interface Terms {
  readonly codec: DataCodec;
  readonly maxBytes: number;
}

// Prepared and written within one turn: one object does for all calls.
const metadata = new CallMetadata();

function ask(connection: RSocketPeer, request: OperationRequest, call: Call, terms: Terms): Promise<OperationResponse> {
  try {
    if (call.cancelled) throw call.cancelled; // that its time is not over is seen when its deadline is written
    const { request: sent, response } = operationKinds[request.operation.info.kind];
    if (sent === 'many') return channel(connection, request, call, terms, response === 'many');
    if (response === 'many') return stream(connection, request, call, terms);
    if (response === 'none' && !request.operation.spec.acknowledged) return fire(connection, request, call, terms);
    return once(connection, request, call, terms);
  } catch (thrown) {
    return refuse(thrown, call);
  }
}

function refuse(thrown: unknown, call: Call): Promise<never> {
  const error = toFlotillaError(thrown);
  call.end(error);
  return Promise.reject(error);
}

function once(
  connection: RSocketPeer,
  { operation, input }: OperationRequest,
  call: Call,
  terms: Terms,
): Promise<OperationResponse> {
  const data = input === undefined ? undefined : encoded(operation, input, terms.codec);
  const answer = new Answer(operation, call, terms);
  call.told = answer;
  answer.stream = connection.requestResponse(metadata.prepare(operation, call), data, answer);
  return answer.promise;
}

/** Written and forgotten: all that can be heard of is that it could not be written. */
function fire(
  connection: RSocketPeer,
  { operation, input }: OperationRequest,
  call: Call,
  terms: Terms,
): Promise<OperationResponse> {
  const data = input === undefined ? undefined : encoded(operation, input, terms.codec);
  connection.fireAndForget(metadata.prepare(operation, call), data);
  call.end();
  return fired;
}

const fired: Promise<OperationResponse> = Promise.resolve(undefined);

/**
 * @param number of one element of many, from 0 on; else it is the whole input
 * @throws FlotillaError INVALID_INPUT
 */
function encoded(
  { name }: CalledOperation,
  value: unknown,
  codec: DataCodec,
  number?: number,
): ReturnType<DataCodec['encode']> {
  try {
    return codec.encode(value);
  } catch (cause) {
    throw number === undefined ? inputUnsayable(name, cause) : elementUnsayable(name, number, cause);
  }
}

/** The one answer to a request. The call ends with it. */
class Answer implements RSocketReceiver, Cancellable, ToldAnswer {
  readonly promise: Promise<OperationResponse>;
  instead: Promise<OperationResponse> | undefined = undefined;
  stream: RequesterStream | undefined = undefined;
  readonly operation: CalledOperation;
  readonly #call: Call;
  readonly #terms: Terms;
  #resolve!: (value: OperationResponse) => void;
  #reject!: (error: FlotillaError) => void;
  #value: unknown = undefined;
  #has = false;

  constructor(operation: CalledOperation, call: Call, terms: Terms) {
    this.operation = operation;
    this.#call = call;
    this.#terms = terms;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    call.cancels(this);
  }

  next(payload: PayloadView): void {
    try {
      this.#value = decoded(this.operation, payload, this.#terms);
      this.#has = true;
    } catch (thrown) {
      this.stream?.cancel();
      this.failed(toFlotillaError(thrown));
    }
  }

  complete(): void {
    const { spec, name } = this.operation;
    if (spec.out && !this.#has) {
      this.failed(badResponse(name, 'no output, but its contract promises one'));
      return;
    }
    try {
      this.#call.end();
    } finally {
      this.#resolve(spec.out ? this.#value : undefined); // whatever those who hear of the end may throw
    }
  }

  error(code: number, text: string): void {
    this.failed(errorFor(this.operation, code, text));
  }

  failed(error: FlotillaError): void {
    try {
      this.#call.end(error);
    } finally {
      if (this.instead) this.#resolve(this.instead);
      else this.#reject(error);
    }
  }

  /** The caller does not wait any longer. */
  cancel(reason: FlotillaError): void {
    this.stream?.cancel();
    this.failed(reason);
  }
}

function decoded({ name }: CalledOperation, payload: PayloadView, { codec, maxBytes }: Terms): unknown {
  if (payload.dataLength > maxBytes) throw badResponse(name, `more than ${maxBytes} bytes; see maxResponseBytes`);
  try {
    return codec.decode(payload);
  } catch (cause) {
    const why = cause instanceof FlotillaError ? cause.detail : String(cause);
    throw badResponse(name, `something that is not understood: ${why}`, cause);
  }
}

/** The error that an ERROR frame says, if the caller was told that it may come. */
function errorFor(operation: CalledOperation, code: number, text: string): FlotillaError {
  const error = errorOfAnswer(code, text);
  return withDifference(operation, declaredOrBad({ name: operation.name, operation: operation.spec }, error));
}

/** The elements of an answer. The reader's demand is the demand on the wire. */
function stream(
  connection: RSocketPeer,
  { operation, input }: OperationRequest,
  call: Call,
  terms: Terms,
): Promise<OperationResponse> {
  const data = input === undefined ? undefined : encoded(operation, input, terms.codec);
  const answer = new Elements(operation, call, terms);
  const { window } = answer.items;
  answer.attach(connection.requestStream(metadata.prepare(operation, call), data, window, answer));
  return answer.begun;
}

/** The answer of many: begun with its first sign of life, over with its last element or when its reader leaves. */
class Elements implements RSocketReceiver {
  readonly items: Inbound<unknown>;
  readonly begun: Promise<OperationResponse>;
  #stream: RequesterStream | undefined;
  #output: Outbound<unknown> | undefined;
  readonly #call: Call;
  readonly #operation: CalledOperation;
  readonly #begin: (items: AsyncIterable<unknown>) => void;
  readonly #refuse: (error: FlotillaError) => void;
  readonly #leave: () => void;
  #isBegun = false;

  constructor(operation: CalledOperation, call: Call, terms: Terms) {
    const { promise, resolve, reject } = Promise.withResolvers<OperationResponse>();
    this.begun = promise;
    this.#begin = resolve;
    this.#refuse = reject;
    this.#operation = operation;
    this.items = new Inbound<unknown>({
      decode: (payload) => decoded(operation, payload, terms),
      errorOf: (code, text) => errorFor(operation, code, text),
      onEnd: (error) => this.#end(error ?? call.cancelled),
    });
    this.#call = call;
    this.#leave = call.onCancel((reason) => {
      this.items.cancel(reason);
      this.#settle(reason);
      this.#end(reason);
    });
  }

  attach(stream: RequesterStream): void {
    this.#stream = stream;
    this.items.attach(stream);
  }

  /** Of a channel: what is sent meanwhile. */
  send(output: Outbound<unknown>): void {
    this.#output = output;
  }

  next(payload: PayloadView): void {
    if (payload.dataStart === payload.dataEnd)
      this.#stream?.requestN(1); // a sign of life, and no element
    else this.items.next(payload);
    this.#settle(undefined);
  }

  complete(): void {
    this.items.complete();
    this.#settle(undefined);
  }

  error(code: number, text: string): void {
    this.failed(errorFor(this.#operation, code, text));
  }

  failed(error: FlotillaError): void {
    this.items.failed(error);
    this.#settle(error);
  }

  requested(): void {
    this.#output?.requested();
  }

  inputCancelled(): void {
    this.#output?.cancelled();
  }

  /** An answer that fails before it has begun is no answer: another attempt may follow. */
  #settle(error: FlotillaError | undefined): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    if (!error) {
      this.#begin(this.items);
      return;
    }
    this.#end(error); // nobody reads what there is
    this.#refuse(error);
  }

  #end(outcome: FlotillaError | undefined): void {
    this.#leave();
    this.#output?.cancelled(outcome);
    this.#call.end(outcome);
  }
}

/**
 * Elements both ways. The first one goes with the request; if the caller has none soon, the channel is opened without one,
 * which peers of ours understand: a callee may want to speak first.
 */
async function channel(
  connection: RSocketPeer,
  request: OperationRequest,
  call: Call,
  terms: Terms,
  answersMany: boolean,
): Promise<OperationResponse> {
  const { operation } = request;
  const iterator = (request.input as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  try {
    const pulled = iterator.next();
    const first = await soon(pulled, call);
    call.throwIfCancelled();
    const data = !first || first.done ? undefined : encoded(operation, first.value, terms.codec, 0);
    const answer = answersMany ? new Elements(operation, call, terms) : new ChannelAnswer(operation, call, terms);
    const demand = answer instanceof Elements ? answer.items.window : 1;
    const isLast = first?.done === true;
    const opened = connection.requestChannel(metadata.prepare(operation, call), data, demand, answer, isLast);
    if (answer instanceof Elements) answer.attach(opened);
    else answer.stream = opened;
    if (!isLast)
      answer.send(pump(opened, rest(iterator, first ? undefined : pulled), first ? 1 : 0, operation, terms, call));
    return await (answer instanceof Elements ? answer.begun : answer.promise);
  } catch (thrown) {
    Promise.try(() => iterator.return?.()).catch(() => undefined);
    return refuse(thrown, call);
  }
}

/** How long the first element of a channel is waited for. */
const firstElementMs = 50;

/** @returns undefined when it takes longer */
function soon(pulled: Promise<IteratorResult<unknown>>, call: Call): Promise<IteratorResult<unknown> | undefined> {
  return new Promise((resolve, reject) => {
    const timer = call.clock.setTimer(firstElementMs, () => resolve(undefined));
    pulled.then(
      (result) => {
        timer.cancel();
        resolve(result);
      },
      (thrown) => {
        timer.cancel();
        reject(thrown);
      },
    );
  });
}

/** What is left of an iterator, beginning with a result that is on its way. */
async function* rest(
  iterator: AsyncIterator<unknown>,
  pending: Promise<IteratorResult<unknown>> | undefined,
): AsyncGenerator<unknown, undefined> {
  try {
    for (let next = pending ?? iterator.next(); ; next = iterator.next()) {
      const result = await next;
      if (result.done) return;
      yield result.value;
    }
  } finally {
    Promise.try(() => iterator.return?.()).catch(() => undefined);
  }
}

function pump(
  opened: RequesterStream,
  elements: AsyncIterable<unknown>,
  firstNumber: number,
  operation: CalledOperation,
  { codec }: Terms,
  call: Call,
): Outbound<unknown> {
  let number = firstNumber;
  return new Outbound(elements, opened, {
    encode: (value) => encoded(operation, value, codec, number++),
    // What the caller's own generator throws is the outcome of the call, here and there.
    fail: (error) => call.cancel(error),
  });
}

/** The one answer to many elements. */
class ChannelAnswer extends Answer {
  #output: Outbound<unknown> | undefined;

  send(output: Outbound<unknown>): void {
    this.#output = output;
  }

  requested(): void {
    this.#output?.requested();
  }

  inputCancelled(): void {
    this.#output?.cancelled();
  }

  override complete(): void {
    this.#output?.cancelled();
    super.complete();
  }

  override failed(error: FlotillaError): void {
    this.#output?.cancelled(error);
    super.failed(error);
  }
}
