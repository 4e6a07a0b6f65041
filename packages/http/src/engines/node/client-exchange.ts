import type { Socket } from 'node:net';
import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { Dispatcher } from 'undici';
import type { HttpRequest, HttpResponse } from '../../exchange.ts';
import type { HttpHeaders } from '../../headers.ts';
import { webSocketAnswerProblem } from '../../websocket-handshake.ts';
import { CheckedBody } from '../checked-body.ts';
import { ChunkQueue } from '../chunk-queue.ts';
import { hasNoBody } from '../messages.ts';
import { clientError, type Progress } from './client-errors.ts';
import type { PoolLimits } from './options.ts';
import { checkResponseHead, type RawFields, textFields } from './response-head.ts';
import { SocketTunnel } from './socket-tunnel.ts';
import { Upload } from './upload.ts';

/** One request that undici sends and the answer that it hands over, piece by piece. */
export class ClientExchange implements Dispatcher.DispatchHandler {
  /** What undici sends. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  readonly #call: Call;
  readonly #method: string;
  readonly #target: string;
  readonly #limits: PoolLimits;
  readonly #head = Promise.withResolvers<HttpResponse>();
  readonly #upload: Upload | undefined;
  readonly #leaveCall: () => void;
  /** What was sent with a handshake, to judge its answer by. */
  readonly #asked: HttpHeaders | undefined;
  /** Begun only when the answer is 101. */
  readonly #outgoing: AsyncIterable<Uint8Array> | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #progress: Progress = 'unsent';
  #interim = 0;
  #download: ChunkQueue | undefined;
  #tunnel: SocketTunnel | undefined;
  #over = false;

  constructor(request: HttpRequest, headers: HttpHeaders, call: Call, target: string, limits: PoolLimits) {
    const { body } = request;
    this.#method = request.method;
    this.#call = call;
    this.#target = target;
    this.#limits = limits;
    if (request.upgrade) {
      this.#asked = headers;
      this.#outgoing = request.upgrade.incoming;
    }
    if (body === undefined || body instanceof Uint8Array) this.body = body ?? null;
    else {
      this.#upload = new Upload(new CheckedBody(body, headers), (thrown) => this.#fail(toFlotillaError(thrown)));
      this.body = this.#upload;
    }
    this.#leaveCall = call.onCancel((reason) => this.#fail(reason));
  }

  /** Resolves with the head of the answer. */
  get response(): Promise<HttpResponse> {
    return this.#head.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown, not aborted: nothing was written, so the connection stays good for others.
    if (this.#over) throw new FlotillaError('CANCELLED', 'cancelled while it waited for a connection');
    this.#controller = controller;
    this.#progress = 'sent';
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#over) return;
    try {
      if (status < 200) this.#countInterim(status);
      else this.#answer(status, controller.rawHeaders as RawFields);
    } catch (thrown) {
      this.#fail(toFlotillaError(thrown));
    }
  }

  /** The connection is ours alone from here on. Declared as any stream by the library; it is the socket. */
  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    stream: NodeJS.ReadableStream,
  ): void {
    const socket = stream as Socket;
    try {
      this.#open(status, controller.rawHeaders as RawFields, socket);
    } catch (thrown) {
      socket.destroy();
      this.#fail(toFlotillaError(thrown));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#download?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.#upload?.stop();
    if (this.#download) this.#download.end();
    else this.#end(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, thrown: Error): void {
    this.#break(clientError(thrown, this.#progress, this.#target));
  }

  #open(status: number, fields: RawFields, socket: Socket): void {
    const outgoing = this.#outgoing;
    if (this.#over || !outgoing || !this.#asked) throw new FlotillaError('CANCELLED', 'cancelled during the handshake');
    const headers = checkResponseHead(fields, this.#limits, this.#target);
    const problem = webSocketAnswerProblem(this.#asked, textFields(fields));
    if (status !== 101 || problem !== undefined) {
      throw new FlotillaError('BAD_RESPONSE', `${this.#target} opened no WebSocket: ${problem ?? `status ${status}`}`);
    }
    this.#progress = 'answering';
    const tunnel = new SocketTunnel(
      socket,
      new Uint8Array(0), // what came behind the head is back in the socket
      () => new FlotillaError('CONNECTION_LOST', `the connection to ${this.#target} broke`),
      (outcome) => this.#end(outcome),
    );
    this.#tunnel = tunnel;
    tunnel.send(outgoing);
    this.#head.resolve({ status, headers, body: tunnel.incoming });
  }

  #countInterim(status: number): void {
    this.#interim++;
    if (status === 101) throw new FlotillaError('BAD_RESPONSE', `${this.#target} changed the protocol unasked`);
    if (this.#interim > this.#limits.maxInterim) {
      throw new FlotillaError('BAD_RESPONSE', `${this.#target} sent over ${this.#limits.maxInterim} interim answers`);
    }
  }

  #answer(status: number, fields: RawFields): void {
    const headers = checkResponseHead(fields, this.#limits, this.#target);
    this.#progress = 'answering';
    const body = this.#openBody(status, headers);
    if (!body) this.#head.resolve({ status, headers, body });
    // Behind the rest of what was read from the socket: a short body that came together with its head is handed over
    // as bytes, and spares everybody further on an iterator. What it waits for is not the network.
    else queueMicrotask(() => this.#head.resolve({ status, headers, body: body.takeWhole() ?? body }));
  }

  #openBody(status: number, headers: HttpHeaders): ChunkQueue | undefined {
    if (hasNoBody(this.#method, status) || headers.get('content-length') === '0') return undefined;
    this.#download = new ChunkQueue({
      roomy: () => this.#controller?.resume(),
      left: () => this.#fail(new FlotillaError('CANCELLED', 'the reader left the answer before its end')),
      done: (error) => this.#end(error),
    });
    return this.#download;
  }

  /** We do not want it any more: the connection ends, unless nothing was sent on it yet. */
  #fail(reason: FlotillaError): void {
    if (this.#over) return;
    this.#head.reject(reason);
    this.#download?.abort(reason);
    this.#tunnel?.abort(reason);
    this.#end(reason);
    this.#controller?.abort(reason);
  }

  /** It broke: what has arrived may still be read. */
  #break(error: FlotillaError): void {
    if (this.#over) return;
    this.#head.reject(error);
    this.#download?.fail(error);
    this.#end(error);
  }

  #end(outcome: FlotillaError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaveCall();
    this.#upload?.stop();
    this.#call.end(outcome);
  }
}
