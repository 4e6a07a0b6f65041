import {
  CallScope,
  type Clock,
  composeReady,
  type Filter,
  FlotillaError,
  gateFilter,
  nullLogger,
  nullMeter,
  nullTracer,
  type Random,
  toFlotillaError,
} from '@flotilla/core';
import { type HttpHandler, incomingCall } from '@flotilla/http';
import { CallObserver } from '@flotilla/telemetry';
import { operationKinds } from '../../contract/index.ts';
import type { Binding } from '../../handlers.ts';
import { servedOperations } from '../../server/contract-handler.ts';
import { type ContractHandlerOptions, resolveOptions } from '../../server/options.ts';
import { maxInputBytes, type ServedOperation } from '../../server/served-operation.ts';
import type { PayloadView } from '../payload-view.ts';
import type { RSocketPeer } from '../peer.ts';
import type { RSocketResponder } from '../responder-port.ts';
import type { ResponderStream } from '../responder-stream.ts';
import type { Setup } from '../setup.ts';
import { Answering, type OperationHandler } from './answering.ts';
import { type CallerLinks, callerAttribute, callerLinks } from './caller.ts';
import { cborCodec } from './cbor-codec.ts';
import { type DataCodec, jsonCodec } from './data-codec.ts';
import { hasBytes } from './has-bytes.ts';
import { answerError, errorText } from './problem-frame.ts';
import { type RequestMetadata, readRequestMetadata } from './request-metadata.ts';
import { serveOperation } from './serve-operation.ts';
import { serveThroughHttp } from './serve-through-http.ts';
import type { Served, ServedRequest } from './served-request.ts';
import { ServedTable } from './served-table.ts';
import { UtilisationNotices } from './utilisation.ts';

/** How contracts are served over RSocket. */
export interface CallServerOptions extends Omit<ContractHandlerOptions, 'extraRoutes'> {
  readonly clock: Clock;
  readonly random: Random;
  /** Stand before every operation, the first one outermost, inside of what measures calls. */
  readonly filters?: readonly Filter<ServedRequest, Served>[];
  /** Stands around the work on each call, as a filter does, but hands an answer that is ready on as it is. Default: nothing. */
  readonly around?: ((serve: OperationHandler) => OperationHandler) | undefined;
  /**
   * Where filters of HTTP messages stand before the operations: every call then passes through it as the request that it
   * would be over HTTP, and is answered by what the answer says. It measures calls itself. Default: none does.
   */
  readonly through?: HttpHandler | undefined;
  /** How busy this process is, 0 to 1: told to peers of ours. Default: nobody is told. */
  readonly utilisation?: (() => number) | undefined;
  /** Of data beside JSON, by their types. Default: CBOR, where its package is installed. */
  readonly codecs?: readonly DataCodec[];
}

/**
 * Serves contracts over RSocket: makes what answers the requests of one connection. An operation's route is
 * `contract.operation`.
 */
export class CallServer {
  readonly options: CallServerOptions;
  readonly table: ServedTable<OperationHandler>;
  /** Is told of what filters failed with. Undefined: it is seen elsewhere. */
  readonly observer: CallObserver | undefined;
  /** Longest message that an operation takes: its input, and room for the metadata of a call. */
  readonly maxPayloadBytes: number;
  readonly #codecs = new Map<string, DataCodec>();

  /** @throws FlotillaError CONTRACT_INVALID, RangeError: as `contractHandler` does */
  constructor(bindings: readonly Binding[], options: CallServerOptions) {
    this.options = options;
    const {
      logger = nullLogger,
      meter = nullMeter,
      tracer = nullTracer,
      filters = [],
      around = (serve) => serve,
      through,
    } = options;
    // What goes through a handler of HTTP messages is measured and protected there.
    const observer = through ? undefined : new CallObserver({ logger, meter, tracer, kind: 'server' });
    this.observer = observer;
    const serving = around(through ? serveThroughHttp(through, options.random) : serveOperation);
    const resolved = resolveOptions(options);
    const filtersOf = ({ name, info }: ServedOperation): readonly Filter<ServedRequest, Served>[] =>
      observer
        ? [observed(observer, name), ...filters, resolved.protect({ operation: name, streamed: info.streamed })]
        : filters;
    const operations = servedOperations(bindings, resolved);
    const ownInputs = operations.filter((served) => !hasBytes(served)).map(maxInputBytes); // bytes travel as HTTP does
    this.maxPayloadBytes = Math.max(0, ...ownInputs) + metadataBytes;
    this.table = new ServedTable(operations, (served) => composeReady(filtersOf(served), serving));
    for (const codec of [jsonCodec, ...(options.codecs ?? [cborCodec])]) this.#codecs.set(codec.mime, codec);
  }

  /**
   * What answers one connection. Its SETUP has to be accepted before it is asked anything.
   * @param http answers requests that hold the head of an HTTP request. Default: they are refused
   */
  responder(http?: RSocketResponder): CallResponder {
    return new CallResponder(this, http);
  }

  codecFor(mime: string): DataCodec | undefined {
    return this.#codecs.get(mime);
  }

  get dataTypes(): string {
    return [...this.#codecs.keys()].join(', ');
  }
}

const metadataBytes = 65_536;

/** Measures each call of an operation until it ends. */
function observed(observer: CallObserver, operation: string): Filter<ServedRequest, Served> {
  return gateFilter({
    enter(call) {
      call.tells(observer.begin(operation, call));
      return undefined;
    },
  });
}

/** Answers the calls of one connection. */
export class CallResponder implements RSocketResponder {
  readonly #server: CallServer;
  readonly #http: RSocketResponder | undefined;
  readonly #scope = new CallScope();
  #codec: DataCodec = jsonCodec;
  #metadataMime = '';
  #caller: CallerLinks | undefined;
  #peerIsOurs = false;
  #notices: UtilisationNotices | undefined;

  constructor(server: CallServer, http: RSocketResponder | undefined) {
    this.#server = server;
    this.#http = http;
  }

  /**
   * @param caller whom the handlers of its calls may call back. Default: they may not
   * @returns why this peer cannot be served
   */
  accept(
    { dataMime, metadataMime }: Pick<Setup, 'dataMime' | 'metadataMime'>,
    peerIsOurs: boolean,
    caller?: RSocketPeer,
  ): FlotillaError | undefined {
    const codec = this.#server.codecFor(dataMime.toLowerCase());
    if (!codec) {
      const detail = `data of type "${dataMime.slice(0, 100)}" is not read here; connect with ${this.#server.dataTypes}`;
      return new FlotillaError('UNSUPPORTED_MEDIA_TYPE', detail);
    }
    try {
      codec.load?.();
    } catch (thrown) {
      return toFlotillaError(thrown);
    }
    this.#codec = codec;
    this.#metadataMime = metadataMime;
    this.#peerIsOurs = peerIsOurs;
    this.#caller = caller && callerLinks(caller, codec);
    const { utilisation } = this.#server.options;
    if (utilisation && caller && peerIsOurs) this.#notices = new UtilisationNotices(caller, utilisation);
    return undefined;
  }

  requestResponse(payload: PayloadView, stream: ResponderStream): void {
    const metadata = readRequestMetadata(payload, this.#metadataMime);
    if (metadata.isHttp && this.#http?.requestResponse) this.#http.requestResponse(payload, stream);
    else this.#take(metadata, payload, stream, 'request-response')?.begin();
  }

  fireAndForget(payload: PayloadView): void {
    const metadata = readRequestMetadata(payload, this.#metadataMime);
    if (metadata.isHttp && this.#http?.fireAndForget) this.#http.fireAndForget(payload);
    else this.#take(metadata, payload, undefined, 'fire-and-forget')?.begin();
  }

  requestStream(payload: PayloadView, stream: ResponderStream): void {
    const metadata = readRequestMetadata(payload, this.#metadataMime);
    if (metadata.isHttp && this.#http?.requestStream) this.#http.requestStream(payload, stream);
    else this.#take(metadata, payload, stream, 'request-stream')?.begin();
  }

  requestChannel(payload: PayloadView, stream: ResponderStream): void {
    const metadata = readRequestMetadata(payload, this.#metadataMime);
    if (metadata.isHttp && this.#http?.requestChannel) this.#http.requestChannel(payload, stream);
    else this.#take(metadata, payload, stream, 'request-channel')?.begin();
  }

  refusal(error: FlotillaError): string {
    return errorText(error, undefined, this.#peerIsOurs);
  }

  #take(
    { route, context }: RequestMetadata,
    payload: PayloadView,
    stream: ResponderStream | undefined,
    asked: Interaction,
  ): Answering | undefined {
    const { clock, random } = this.#server.options;
    const call = incomingCall(context, { clock, random });
    this.#notices?.asked(call.startedAt);
    if (this.#caller) call.set(callerAttribute, this.#caller);
    try {
      const routed = this.#server.table.find(route, context);
      assertInteraction(routed.served, asked);
      return new Answering(
        routed,
        context,
        call,
        stream,
        this.#codec,
        this.#peerIsOurs,
        payload,
        this.#server.observer,
        this.#scope,
      );
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      if (stream) answerError(stream, error, call, this.#peerIsOurs);
      call.end(error);
      return undefined;
    }
  }
}

type Interaction = 'request-response' | 'fire-and-forget' | 'request-stream' | 'request-channel';

/** How an operation may be asked for. A notification that is answered tells that it was taken. */
function assertInteraction(served: ServedOperation, asked: Interaction): void {
  const { name, info } = served;
  const { kind } = info;
  const { request, response } = operationKinds[kind];
  const usual = request === 'many' ? 'request-channel' : response === 'many' ? 'request-stream' : 'request-response';
  if (asked !== usual && !(asked === 'fire-and-forget' && kind === 'notify')) {
    const taken = kind === 'notify' ? `${usual} or fire-and-forget` : usual;
    throw new FlotillaError('METHOD_NOT_ALLOWED', `"${name}" takes ${taken}, not ${asked}`);
  }
  if (hasBytes(served)) {
    throw new FlotillaError(
      'UNIMPLEMENTED',
      `"${name}" takes or answers bytes, which only HTTP carries: call it over HTTP`,
      {
        executed: 'no',
      },
    );
  }
}
