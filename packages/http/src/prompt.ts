import type { Clock } from '@flotilla/core';
import type { HttpHandler, HttpRequest, HttpResponse } from './exchange.ts';

/**
 * Answers a request without a body at once, from what is in memory: no call is made for it, nobody is awaited.
 *
 * It may decline by `undefined`; then it has done nothing that can be seen, and the handler itself is asked, which makes
 * every error, refusal and note of it. So it answers only what is plainly good, after the same checks as the handler:
 * who asks, and how often.
 */
export type AnswerNow = (request: HttpRequest, context: PromptContext) => HttpResponse | undefined;

/** What such an answer may need, in place of a call. */
export interface PromptContext {
  readonly clock: Clock;
  /** What the names in the route's pattern took. */
  readonly params: ReadonlyMap<string, string>;
}

/** A handler that some engines ask for an answer at once, before they make a call. */
interface PromptHandler extends HttpHandler {
  readonly answerNow?: AnswerNow | undefined;
}

/**
 * Gives a handler a short way for the few requests that are nearly everything it gets. Filters around the result do not
 * know of it: whoever wraps it has only the handler, which is right for whatever has to see each request.
 */
export function answeringNow(handler: HttpHandler, answerNow: AnswerNow): HttpHandler {
  const prompt: HttpHandler = (request, call) => handler(request, call);
  return Object.assign(prompt, { answerNow }) satisfies PromptHandler;
}

/** The short way of a handler, if it has one. */
export function answerNowOf(handler: HttpHandler): AnswerNow | undefined {
  return (handler as PromptHandler).answerNow;
}
