import type { Filter } from '@flotilla/core';
import type { HttpBody, HttpRequest, HttpResponse } from '@flotilla/http';

/** More than this is no error document. */
const maxDocumentBytes = 65_536;

/**
 * Reads the body of a failure that is JSON before it is passed on: it says whether the work was done, and so whether the
 * request may be repeated. A longer one is passed on as the stream that it is.
 */
export const wholeErrors: Filter<HttpRequest, HttpResponse> = (next) => async (request, call) => {
  const response = await next(request, call);
  const { status, headers, body } = response;
  if ((status < 500 && status !== 429) || body === undefined || body instanceof Uint8Array) return response;
  if (!/^application\/(?:problem\+)?json\b/i.test(headers.get('content-type') ?? '')) return response;
  return { ...response, body: await readUpTo(body, maxDocumentBytes) };
};

async function readUpTo(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<HttpBody> {
  const source = body[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  for (let bytes = 0; bytes <= maxBytes; ) {
    const { done, value } = await source.next();
    if (done) return Buffer.concat(read);
    read.push(value);
    bytes += value.byteLength;
  }
  return goingOn(read, source);
}

// Not an async generator: that would queue `return` behind a `next` that waits for the sender.
function goingOn(read: Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator: AsyncIterableIterator<Uint8Array> = {
    next() {
      const value = read.shift();
      return value ? Promise.resolve({ done: false, value }) : source.next();
    },
    async return() {
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
