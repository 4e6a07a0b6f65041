import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import type { HttpHeaders, HttpRequest, HttpResponse } from '@flotilla/http';
import { CheckedBody, hasNoBody } from '@flotilla/http/engine';
import { Outbound } from '../flow.ts';
import { rsocketError } from '../frame.ts';
import type { OutBuffer } from '../out-buffer.ts';
import type { PayloadView } from '../payload-view.ts';
import type { RSocketPeer } from '../peer.ts';
import type { RSocketReceiver } from '../requester-port.ts';
import type { RequesterStream } from '../requester-stream.ts';
import { errorOfFrame } from '../wire-errors.ts';
import type { ReadAnswer } from './answer-text.ts';
import { BodyInput } from './body-input.ts';
import { bodyWindow, wholeBytes } from './demand.ts';
import { readHttpEntry, writeHttpEntry } from './http-entry.ts';
import { writeRequest } from './request-text.ts';

/** What an exchange needs of its endpoint. */
export interface ExchangeHost {
  /** Host and port, for messages. */
  readonly target: string;
  /** Reads the head of an answer. @throws FlotillaError BAD_RESPONSE */
  readHead(text: string): ReadAnswer;
  /** An exchange is over. */
  left(): void;
}

/**
 * One request that is sent, and its answer.
 *
 * | state | exits |
 * |---|---|
 * | asked: no head of an answer has come | a whole answer, streaming, over |
 * | streaming: the head was handed over, items follow | over |
 * | over: the call has ended | none |
 */
export class ClientExchange implements RSocketReceiver {
  readonly #host: ExchangeHost;
  readonly #request: HttpRequest;
  readonly #headers: HttpHeaders;
  readonly #call: Call;
  #resolve!: (response: HttpResponse) => void;
  #reject!: (error: FlotillaError) => void;
  #leaveCall: () => void = nothing;
  #stream: RequesterStream | undefined;
  #upload: Outbound<Uint8Array> | undefined;
  /** An answer whose body came with its head; handed over when it is complete. */
  #whole: HttpResponse | undefined;
  #input: BodyInput | undefined;
  #over = false;

  /** @param headers as `outgoingRequestHeaders` gives them */
  constructor(host: ExchangeHost, request: HttpRequest, headers: HttpHeaders, call: Call) {
    this.#host = host;
    this.#request = request;
    this.#headers = headers;
    this.#call = call;
  }

  /** Sends the request. @returns the head of the answer; a rejection has ended the call */
  send(connection: RSocketPeer): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#leaveCall = this.#call.onCancel((reason) => this.#fail(reason));
      if (this.#over) return;
      try {
        this.#send(connection);
      } catch (thrown) {
        this.#fail(toFlotillaError(thrown));
      }
    });
  }

  /** As metadata: the head of the request. */
  writeTo(out: OutBuffer): void {
    writeHttpEntry(out, writeRequest(this.#request, this.#headers));
  }

  /** Of a receiver: the head of the answer, then the items of its body. */
  next(payload: PayloadView): void {
    if (this.#over) return;
    try {
      if (this.#input) this.#input.next(payload);
      else if (this.#whole) throw this.#bad('more than the bytes of its content-length');
      else this.#answered(payload);
    } catch (thrown) {
      this.#fail(toFlotillaError(thrown));
    }
  }

  complete(): void {
    if (this.#over) return;
    const whole = this.#whole;
    if (this.#input) {
      this.#input.end();
      this.#stopUpload();
    } else if (whole) {
      this.#end(undefined);
      this.#resolve(whole);
    } else this.#fail(this.#bad('no head'));
  }

  /** The peer gave up: before the head it says why, and whether it had begun; behind it the answer is not whole. */
  error(code: number, text: string): void {
    const { target } = this.#host;
    if (this.#input || this.#whole) this.#lost(`${target} broke off its answer`);
    else if (code === rsocketError.REJECTED) {
      this.#break(new FlotillaError('UNAVAILABLE', `${target} takes no request: ${text}`, { fromPeer: true }));
    } else {
      const cause = errorOfFrame(code, text);
      this.#break(new FlotillaError('CONNECTION_LOST', `${target} broke off before its answer`, { cause }));
    }
  }

  /** No answer can come. Of a request that has not left nothing was done, whatever became of the connection. */
  failed(error: FlotillaError): void {
    const { target } = this.#host;
    if (error.executed === 'no') {
      const code = error.code === 'CONNECTION_LOST' ? 'CONNECT_FAILED' : error.code;
      this.#break(new FlotillaError(code, `not sent to ${target}: ${error.detail}`, { executed: 'no', cause: error }));
    } else if (error.code === 'CONNECTION_LOST') this.#lost(`the connection to ${target} broke`, error);
    else this.#break(error);
  }

  requested(): void {
    this.#upload?.requested();
  }

  inputCancelled(): void {
    this.#upload?.cancelled();
  }

  #send(connection: RSocketPeer): void {
    const { body } = this.#request;
    if (body === undefined || (body instanceof Uint8Array && body.length <= wholeBytes)) {
      const data = body === undefined || body.length === 0 ? undefined : body;
      this.#stream = connection.requestStream(this, data, bodyWindow, this);
      return;
    }
    const stream = connection.requestChannel(this, undefined, bodyWindow, this);
    this.#stream = stream;
    this.#upload = new Outbound<Uint8Array>(new CheckedBody(body, this.#headers), stream, {
      encode: (chunk) => chunk,
      fail: (error) => {
        stream.error(rsocketError.CANCELED, 'the request broke off');
        this.#break(error);
      },
    });
  }

  #answered(payload: PayloadView): void {
    const text = readHttpEntry(payload);
    if (text === undefined) throw this.#bad('no head');
    const { status, headers, contentLength } = this.#host.readHead(text);
    const length = payload.dataLength;
    if (hasNoBody(this.#request.method, status)) {
      if (length > 0) throw this.#bad('a body where none may be');
      this.#whole = { status, headers, body: undefined };
    } else if (contentLength === length) {
      this.#whole = { status, headers, body: length === 0 ? undefined : payload.copyData() };
    } else this.#flow(status, headers, contentLength, payload);
  }

  #flow(status: number, headers: HttpHeaders, declared: number | undefined, payload: PayloadView): void {
    const stream = this.#stream;
    const input = new BodyInput(declared, Number.POSITIVE_INFINITY, bodyWindow, {
      requestN: (n) => stream?.requestN(n),
      left: () => this.#fail(new FlotillaError('CANCELLED', 'the reader left the answer before its end')),
      done: (error) => this.#end(error),
      mismatch: (what) => {
        stream?.cancel();
        return new FlotillaError('CONNECTION_LOST', `the answer of ${this.#host.target} has ${what} that it declared`);
      },
    });
    this.#input = input;
    input.next(payload); // the head was an item, too
    this.#resolve({ status, headers, body: input.chunks });
  }

  #bad(what: string): FlotillaError {
    return new FlotillaError('BAD_RESPONSE', `the answer of ${this.#host.target} has ${what}`);
  }

  #lost(what: string, cause?: FlotillaError): void {
    const when = this.#input ? 'before its answer was whole' : 'before its answer';
    this.#break(new FlotillaError('CONNECTION_LOST', `${what} ${when}`, { cause }));
  }

  /** We do not want it any more. */
  #fail(reason: FlotillaError): void {
    if (this.#over) return;
    this.#stream?.cancel();
    this.#reject(reason);
    this.#input?.chunks.abort(reason);
    this.#end(reason);
  }

  /** It broke: what has arrived may still be read. */
  #break(error: FlotillaError): void {
    if (this.#over) return;
    this.#reject(error);
    this.#input?.chunks.fail(error);
    this.#end(error);
  }

  /** The answer is whole: nobody wants the rest of the request, and what is not whole must not look so. */
  #stopUpload(): void {
    if (!this.#upload) return;
    this.#upload.cancelled();
    this.#upload = undefined;
    if (this.#stream && !this.#stream.sentAll) this.#stream.cancel();
  }

  #end(outcome: FlotillaError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaveCall();
    this.#stopUpload();
    this.#host.left();
    this.#call.end(outcome);
  }
}

function nothing(): void {}
