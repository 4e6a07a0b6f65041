import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type HttpResponse, problemResponse, readBody } from '@flotilla/http';
import { answeredNow, answerTo, BodyPace, CheckedBody, dispose } from '@flotilla/http/engine';
import { Outbound } from '../flow.ts';
import { rsocketError } from '../frame.ts';
import type { OutBuffer } from '../out-buffer.ts';
import type { PayloadView } from '../payload-view.ts';

import type { ResponderListener, ResponderStream } from '../responder-stream.ts';
import { writeAnswer } from './answer-text.ts';
import { BodyInput } from './body-input.ts';
import { wholeBytes } from './demand.ts';
import { writeHttpEntry } from './http-entry.ts';
import { type ReadRequest, readRequest } from './request-text.ts';
import type { Interaction, Serving } from './serving.ts';
import { Watch } from './watch.ts';

/**
 * One request that came in, and its answer.
 *
 * | state | exits |
 * |---|---|
 * | the handler is at work | answering, over: the caller went away |
 * | answering: the head is out, items follow | over: by the last one, by a failure of the body, by the caller |
 * | over: the call has ended, the body of the request is closed | none |
 */
export class ServerExchange implements ResponderListener {
  readonly #serving: Serving;
  readonly #stream: ResponderStream;
  readonly #kind: Interaction;
  #call: Call | undefined;
  #input: BodyInput | undefined;
  #output: Outbound<Uint8Array> | undefined;
  #head = '';
  /** Of the request's body: comes it too slowly? Of the answer's: does nobody take it? */
  #inputWatch: Watch | undefined;
  #outputWatch: Watch | undefined;
  /** Items of the answer's body. */
  #sent = 0;
  #over = false;

  constructor(serving: Serving, stream: ResponderStream, kind: Interaction) {
    this.#serving = serving;
    this.#stream = stream;
    this.#kind = kind;
  }

  begin(head: string, payload: PayloadView): void {
    this.#stream.listener = this;
    try {
      this.#begin(head, payload);
    } catch (thrown) {
      this.#refuse(toFlotillaError(thrown));
    }
  }

  /** The caller wants no answer any more, or its connection is over. */
  cancelled(reason: FlotillaError): void {
    const why = reason.code === 'CONNECTION_LOST' ? new FlotillaError('CANCELLED', 'the client went away') : reason;
    this.#end(why);
  }

  requested(): void {
    this.#output?.requested();
  }

  next(item: PayloadView): void {
    this.#input?.next(item);
  }

  completed(): void {
    this.#input?.end();
  }

  /** The body of the request cannot be had. */
  failed(): void {
    this.#end(new FlotillaError('CANCELLED', 'the client broke off its request'));
  }

  /** As metadata: the head of the answer. */
  writeTo(out: OutBuffer): void {
    writeHttpEntry(out, this.#head);
  }

  #begin(text: string, payload: PayloadView): void {
    const { limits, pathOptions = {} } = this.#serving;
    const head = readRequest(text, limits, pathOptions);
    const body = this.#bodyOf(head, payload);
    const { method, authority, path, query, headers } = head;
    if (!path) {
      this.#write({ status: 204, headers: new HttpHeaders(), body: undefined });
      return;
    }
    this.#run({ method, authority, path, query, headers, body, peer: this.#serving.peer });
  }

  #bodyOf({ contentLength }: ReadRequest, payload: PayloadView): HttpRequest['body'] {
    const { maxBodyBytes } = this.#serving.limits;
    const length = this.#stream.receivedAll ? payload.dataLength : (contentLength ?? 0);
    if (length > maxBodyBytes) {
      throw new FlotillaError('BODY_TOO_LARGE', `a body of ${length} bytes is over the limit of ${maxBodyBytes}`);
    }
    if (!this.#stream.receivedAll) return this.#openBody(contentLength, payload);
    if (contentLength !== undefined && contentLength !== length) {
      throw new FlotillaError(
        'MALFORMED_REQUEST',
        `the request has a content-length of ${contentLength} and a body of ${length} bytes`,
      );
    }
    return length === 0 ? undefined : payload.copyData();
  }

  #openBody(declared: number | undefined, payload: PayloadView): HttpRequest['body'] {
    const stream = this.#stream;
    const input = new BodyInput(declared, this.#serving.limits.maxBodyBytes, 0, {
      requestN: (n) => stream.requestN(n),
      left: () => stream.cancelInput(),
      done: (error) => {
        this.#inputWatch?.stop();
        if (!error || this.#over) return;
        stream.cancelInput();
        this.#call?.cancel(error);
      },
      mismatch: (what) => new FlotillaError('MALFORMED_REQUEST', `the request has ${what} of its content-length`),
    });
    input.first(payload);
    this.#input = input;
    this.#watchInput(input);
    return input.chunks;
  }

  /** Who reads the body waits no longer for it than over HTTP/1.1. */
  #watchInput(input: BodyInput): void {
    const { clock, limits } = this.#serving;
    const pace = new BodyPace(limits);
    this.#inputWatch = new Watch(clock, limits.sweepMs, (now) => {
      const late = pace.late(now, input.received, input.chunks.starved);
      if (late !== undefined) input.chunks.fail(new FlotillaError('REQUEST_TIMEOUT', late));
    });
  }

  /** An answer of which the caller takes nothing is broken off, as it is over HTTP/1.1. */
  #watchOutput(): void {
    const { clock, limits } = this.#serving;
    let before = this.#sent;
    let since = clock.now();
    this.#outputWatch = new Watch(clock, limits.sweepMs, (now) => {
      if (this.#stream.credit > 0 || this.#sent !== before) {
        before = this.#sent;
        since = now;
      } else if (now - since >= limits.writeStallMs) {
        this.#abort(
          new FlotillaError('CANCELLED', `the client took nothing of the answer for ${limits.writeStallMs} ms`),
        );
      }
    });
  }

  #run(request: HttpRequest): void {
    const { handler, answerNow, makeCall, clock, failed } = this.#serving;
    const prompt = answerNow && answeredNow(answerNow, request, clock);
    if (prompt) {
      this.#write(prompt);
      return;
    }
    this.#call = makeCall(request);
    answerTo(handler, request, this.#call, (response) => this.#answer(response), failed);
  }

  #answer(response: HttpResponse): void {
    if (this.#over) {
      dispose(response.body);
      return;
    }
    try {
      this.#write(response);
    } catch (thrown) {
      this.#abort(toFlotillaError(thrown));
    }
  }

  #write(response: HttpResponse): void {
    const { body } = response;
    this.#head = writeAnswer(response);
    if (body === undefined) this.#whole(undefined);
    else if (body instanceof Uint8Array && (body.length <= wholeBytes || this.#kind === 'requestResponse')) {
      this.#whole(body.length === 0 ? undefined : body);
    } else if (this.#kind === 'requestResponse') this.#gather(response);
    else this.#send(response, body);
  }

  #whole(body: Uint8Array | undefined): void {
    this.#stream.respond(body, this);
    this.#end(undefined);
  }

  /** Who asks for one message gets the stream as one. */
  #gather({ status, headers, body }: HttpResponse): void {
    const call = this.#call as Call;
    readBody(body, this.#serving.limits.maxBodyBytes, call).then(
      (bytes) => {
        if (this.#over) return;
        headers.set('content-length', `${bytes.length}`);
        this.#head = writeAnswer({ status, headers });
        this.#whole(bytes);
      },
      (thrown) => this.#abort(toFlotillaError(thrown)),
    );
  }

  #send({ headers }: HttpResponse, body: Uint8Array | AsyncIterable<Uint8Array>): void {
    const call = this.#call;
    this.#stream.next(undefined, this);
    // One that is cancelled already is answered by a problem that says so.
    if (call && !call.cancelled) call.onCancel((reason) => this.#abort(reason));
    this.#watchOutput();
    this.#output = new Outbound<Uint8Array>(new CheckedBody(body, headers), this.#stream, {
      encode: (chunk) => {
        this.#sent++;
        return chunk;
      },
      fail: (error) => this.#abort(error),
      onEnd: (error) => {
        if (!error) this.#end(undefined);
      },
    });
  }

  /** What cannot be read is answered as over HTTP/1.1: by a problem. The connection stays good, its frames are intact. */
  #refuse(error: FlotillaError): void {
    if (this.#over) return;
    this.#write(withLength(problemResponse(error, this.#call)));
  }

  /** The head is out, or none can be: only an error tells the caller that the rest will not come. */
  #abort(reason: FlotillaError): void {
    if (this.#over) return;
    this.#stream.error(rsocketError.APPLICATION_ERROR, 'the answer broke off');
    this.#end(reason);
  }

  #end(outcome: FlotillaError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#inputWatch?.stop();
    this.#outputWatch?.stop();
    if (outcome) this.#call?.cancel(outcome);
    this.#output?.cancelled(outcome); // nothing, when the body has ended
    if (this.#input && !this.#input.chunks.settled) {
      this.#input.chunks.abort(outcome ?? new FlotillaError('CANCELLED', 'the answer is complete'));
      this.#stream.cancelInput();
    }
    this.#call?.end(outcome);
  }
}

function withLength(response: HttpResponse): HttpResponse {
  if (response.body instanceof Uint8Array) response.headers.set('content-length', `${response.body.length}`);
  return response;
}
