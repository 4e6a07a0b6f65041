import { FlotillaError } from '@flotilla/core';
import type { HttpBody, HttpResponse } from '@flotilla/http';

/** Where an answer came from, as a `Response` says it. */
export interface AnswerPlace {
  readonly url: string;
  readonly redirected: boolean;
  /** Aborting it breaks the body off with its reason. */
  readonly signal: AbortSignal | undefined;
}

/** Statuses whose answers have no body (Fetch standard, "null body status"). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * An answer as the platform's `Response`. Its body streams: a chunk is taken from the connection when the reader asks for
 * it, and leaving the body (`cancel`) tells the callee to stop. It is as it was sent: a coding that the caller asked for
 * (`accept-encoding`) is left on it.
 * @throws FlotillaError BAD_RESPONSE for a status or a field that no `Response` can have
 */
export function responseOf({ status, headers, body }: HttpResponse, place: AnswerPlace): Response {
  let response: Response;
  try {
    response = new Response(bodiless.has(status) ? null : streamOf(body, place.signal), {
      status,
      headers: [...headers].map(([name, value]): [string, string] => [name, value]),
    });
  } catch (cause) {
    throw new FlotillaError('BAD_RESPONSE', `the answer ${status} of ${place.url} is none that can be read`, { cause });
  }
  Object.defineProperty(response, 'url', { value: place.url });
  Object.defineProperty(response, 'redirected', { value: place.redirected });
  return response;
}

function streamOf(body: HttpBody, signal: AbortSignal | undefined): ReadableStream | Uint8Array<ArrayBuffer> | null {
  if (body === undefined) return null;
  if (body instanceof Uint8Array) return new Uint8Array(body);
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (thrown) {
          controller.error(signal?.aborted ? signal.reason : thrown);
        }
      },
      cancel: () => void Promise.resolve(chunks.return?.()).catch(() => undefined),
    },
    { highWaterMark: 0 }, // nothing is read ahead of the reader: what it does not take waits in the connection
  );
}
