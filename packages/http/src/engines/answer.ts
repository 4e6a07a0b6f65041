import { type Call, type Clock, FlotillaError, runInCall, toFlotillaError, within } from '@flotilla/core';
import type { HttpHandler, HttpRequest, HttpResponse } from '../exchange.ts';
import { problemResponse } from '../problem-response.ts';
import type { AnswerNow } from '../prompt.ts';
import { outgoingResponse } from './messages.ts';
import { dispose } from './pump.ts';

/** Hears of every request that ends in an error, before that is turned into an answer. */
export type FailureListener = (error: FlotillaError, request: HttpRequest, call: Call) => void;

/**
 * Runs a handler inside its call. Whatever it does, there is an answer that can be written: its own, or a problem for
 * what it threw, for an answer that is none, for a deadline that passed while it was still at it. An answer that comes
 * too late is disposed of.
 */
export async function answer(
  handler: HttpHandler,
  request: HttpRequest,
  call: Call,
  failed: FailureListener = nothing,
): Promise<HttpResponse> {
  const work = runInCall(call, async () => handler(request, call));
  try {
    return outgoingResponse(await within(call, work), request);
  } catch (thrown) {
    work.then((late) => dispose(late.body), nothing);
    const error = answerable(toFlotillaError(thrown));
    failed(error, request, call);
    return outgoingResponse(problemResponse(error, call), request);
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
