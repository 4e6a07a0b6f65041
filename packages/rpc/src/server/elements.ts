import { type Call, FlotillaError, within } from '@flotilla/core';
import { bodyStream, decodeLines, type HttpRequest, ndjsonMediaType, parseJsonText } from '@flotilla/http';
import type { Schema } from '../contract/index.ts';
import { bodyTooLarge, checkBodyHead } from './body-type.ts';
import { invalidInput, validate } from './validate.ts';

/** What the elements of one request are checked by. */
export interface ElementSource {
  /** `catalog.product` */
  readonly operation: string;
  readonly schema: Schema;
  /** Of one element. */
  readonly maxBytes: number;
}

/**
 * The elements of a request as its handler gets them: each is parsed by its schema when it is asked for, and the wait for
 * it ends with the call. Leaving the loop early tells the sender to stop.
 *
 * Errors: INVALID_INPUT naming the element by its number from 0 on; BODY_TOO_LARGE; MALFORMED_REQUEST; whatever `sent`
 * rejects with.
 */
export async function* parsedElements(
  { operation, schema }: Pick<ElementSource, 'operation' | 'schema'>,
  sent: AsyncIterable<unknown>,
  call: Call,
): AsyncGenerator<unknown, undefined> {
  const iterator = sent[Symbol.asyncIterator]();
  let over = false;
  try {
    for (let number = 0; ; number++) {
      const result = await within(call, iterator.next());
      if (result.done) {
        over = true;
        return;
      }
      const parsed = await validate(schema, result.value);
      if (!parsed.ok)
        throw invalidInput(
          operation,
          parsed.issues.map(({ path, message }) => ({ path: [number, ...path], message })),
        );
      yield parsed.value;
    }
  } finally {
    // Not awaited: who waits for an element now is told by the end of the call.
    if (!over) Promise.try(() => iterator.return?.()).catch(() => undefined);
  }
}

/**
 * The elements in the body of an HTTP request: newline-delimited JSON.
 * @throws FlotillaError UNSUPPORTED_MEDIA_TYPE
 */
export function elementsOf({ operation, maxBytes }: ElementSource, request: HttpRequest): AsyncIterable<unknown> {
  checkBodyHead(request, { operation, accepted: [ndjsonMediaType], maxBytes: Infinity });
  return lines(maxBytes, request);
}

async function* lines(maxBytes: number, { body }: HttpRequest): AsyncGenerator<unknown, undefined> {
  try {
    for await (const line of decodeLines(bodyStream(body), { maxLineBytes: maxBytes })) yield parseJsonText(line);
  } catch (thrown) {
    throw refused(thrown, maxBytes);
  }
}

/** What a reader of answers calls a bad answer is here a bad request. */
function refused(thrown: unknown, maxBytes: number): unknown {
  if (!(thrown instanceof FlotillaError) || thrown.code !== 'BAD_RESPONSE') return thrown;
  if (thrown.data !== undefined) return bodyTooLarge(maxBytes, 'an element has more');
  return new FlotillaError('MALFORMED_REQUEST', thrown.detail);
}
