import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { Dispatcher } from 'undici';
import type { HttpBody, HttpResponse } from '../../exchange.ts';
import type { HttpHeaders } from '../../headers.ts';
import { CheckedBody } from '../checked-body.ts';
import { ChunkQueue } from '../chunk-queue.ts';
import { hasNoBody } from '../messages.ts';
import { clientError, type Progress } from './client-errors.ts';
import type { PoolLimits } from './options.ts';
import { checkResponseHead, type RawFields } from './response-head.ts';
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
  #controller: Dispatcher.DispatchController | undefined;
  #progress: Progress = 'unsent';
  #interim = 0;
  #download: ChunkQueue | undefined;
  #over = false;

  constructor(method: string, body: HttpBody, headers: HttpHeaders, call: Call, target: string, limits: PoolLimits) {
    this.#method = method;
    this.#call = call;
    this.#target = target;
    this.#limits = limits;
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
    this.#head.resolve({ status, headers, body: this.#openBody(status, headers) });
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
