import { type Call, errorTable, type FlotillaError, fromProblem, toProblem } from '@flotilla/core';
import { parseJsonText } from '@flotilla/http';
import type { ResponderStream } from '../responder-stream.ts';
import { errorOfFrame, rsocketCodeOf } from '../wire-errors.ts';

/**
 * Answers with an error. A peer of ours gets the problem document as the data of ERROR: code, `executed`, its data, all
 * that an answer over HTTP would say. Any other gets a sentence.
 */
export function answerError(stream: ResponderStream, error: FlotillaError, call: Call, peerIsOurs: boolean): void {
  stream.error(rsocketCodeOf(error), errorText(error, call.trace.traceId, peerIsOurs));
}

/** The data of an ERROR frame. @param traceId of the call, where one was begun */
export function errorText(error: FlotillaError, traceId: string | undefined, peerIsOurs: boolean): string {
  const problem = toProblem(error, traceId);
  return peerIsOurs ? JSON.stringify(problem) : sentence(problem.detail, problem.code);
}

/** The error that an ERROR frame says: a problem document of ours, else its code and text. */
export function errorOfAnswer(code: number, text: string): FlotillaError {
  if (!text.startsWith('{')) return errorOfFrame(code, text);
  try {
    const document = parseJsonText(text);
    return fromProblem(document, statusOf(document)) ?? errorOfFrame(code, text);
  } catch {
    return errorOfFrame(code, text);
  }
}

function sentence(detail: string, code: string): string {
  return detail === '' ? code : detail;
}

/** There is no status line to win over the document's own. */
function statusOf(document: unknown): number {
  const status = (document as { readonly status?: unknown } | null)?.status;
  const stated = typeof status === 'number' && status >= 400 && status <= 599;
  return stated ? status : errorTable.INTERNAL.httpStatus;
}
