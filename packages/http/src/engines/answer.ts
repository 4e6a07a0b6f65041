import { type Call, type Clock, FlotillaError, runInCall, toFlotillaError } from '@flotilla/core';
import type { HttpHandler, HttpRequest, HttpResponse } from '../exchange.ts';
import { problemResponse } from '../problem-response.ts';
import type { AnswerNow } from '../prompt.ts';
import { outgoingResponse } from './messages.ts';
import { dispose } from './pump.ts';

/** Hears of every request that ends in an error, before that is turned into an answer. */
export type FailureListener = (error: FlotillaError, request: HttpRequest, call: Call) => void;

/**
 * Runs a handler inside its call. Whatever it does, `write` is given an answer that can be written, once: its own, or a
 * problem for what it threw, for an answer that is none, for a deadline that passed while it was still at it. An answer that
 * comes too late is disposed of. For engines: it costs less than a promise of the answer.
 */
export function answerTo(
  handler: HttpHandler,
  request: HttpRequest,
  call: Call,
  write: (response: HttpResponse) => void,
  failed: FailureListener = nothing,
): void {
  new Answering(request, call, write, failed).run(handler);
}

/** The answer of {@link answerTo} as a promise. */
export function answer(
  handler: HttpHandler,
  request: HttpRequest,
  call: Call,
  failed: FailureListener = nothing,
): Promise<HttpResponse> {
  return new Promise((resolve) => {
    answerTo(handler, request, call, resolve, failed);
  });
}

class Answering {
  readonly #request: HttpRequest;
  readonly #call: Call;
  readonly #write: (response: HttpResponse) => void;
  readonly #failed: FailureListener;
  #leaveCall: () => void = nothing;
  #over = false;

  constructor(request: HttpRequest, call: Call, write: (response: HttpResponse) => void, failed: FailureListener) {
    this.#request = request;
    this.#call = call;
    this.#write = write;
    this.#failed = failed;
  }

  run(handler: HttpHandler): void {
    const [request, call] = [this.#request, this.#call];
    let work: Promise<HttpResponse>;
    try {
      work = runInCall(call, () => handler(request, call));
    } catch (thrown) {
      work = Promise.reject(thrown);
    }
    const fail = (thrown: unknown): void => this.#fail(thrown);
    this.#leaveCall = call.onCancel(fail);
    work.then((response) => this.#answered(response), fail);
  }

  #answered(response: HttpResponse): void {
    if (this.#over) {
      dispose(response.body);
      return;
    }
    let outgoing: HttpResponse;
    try {
      outgoing = outgoingResponse(response, this.#request);
    } catch (thrown) {
      dispose(response.body);
      this.#fail(thrown);
      return;
    }
    this.#over = true;
    this.#leaveCall();
    this.#write(outgoing);
  }

  #fail(thrown: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaveCall();
    const error = answerable(toFlotillaError(thrown));
    this.#failed(error, this.#request, this.#call);
    this.#write(outgoingResponse(problemResponse(error, this.#call), this.#request));
  }
}

/**
 * The answer that a handler gives at once, if it has a short way ({@link answeringNow}) and takes it. One that breaks on it
 * is asked again as any handler is, and its error told as any.
 */
export function answeredNow(
  answerNow: AnswerNow | undefined,
  request: HttpRequest,
  clock: Clock,
): HttpResponse | undefined {
  if (!answerNow || request.body !== undefined || request.upgrade !== undefined) return undefined;
  try {
    const response = answerNow(request, { clock, params: noParams });
    return response && outgoingResponse(response, request);
  } catch {
    return undefined;
  }
}

const noParams: ReadonlyMap<string, string> = new Map();

/** A status that is no error's would be taken for success. */
function answerable(error: FlotillaError): FlotillaError {
  if (error.httpStatus >= 400 && error.httpStatus <= 599) return error;
  return new FlotillaError('INTERNAL', `an error has a status from 400 to 599, got ${error.httpStatus}`, {
    cause: error,
  });
}

function nothing(): void {}
