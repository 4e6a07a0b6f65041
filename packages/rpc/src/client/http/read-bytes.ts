import { type Call, FlotillaError, toFlotillaError } from '@flotilla/core';
import { bodyStream, type HttpResponse, parseMediaType, safeFileName } from '@flotilla/http';
import type { Download, HttpMapping } from '../../contract/index.ts';
import { answeredType } from './read-output.ts';

/**
 * An answer that is a stream of bytes. The call ends when the stream does: read to its end, left, broken or cancelled.
 * @throws FlotillaError BAD_RESPONSE
 */
export function openDownload(
  name: string,
  answer: NonNullable<HttpMapping['answer']>,
  response: HttpResponse,
  call: Call,
): Download {
  const { headers } = response;
  const length = headers.get('content-length');
  const left = (): void => call.cancel(new FlotillaError('CANCELLED', `the reader left ${name} before its end`));
  return {
    type: answeredType(name, answer, response),
    length: response.body === undefined ? 0 : length === undefined ? undefined : Number(length),
    name: fileName(headers.get('content-disposition')),
    etag: headers.get('etag'),
    content: reading(response, call, left),
    cancel() {
      left();
      call.end(call.cancelled);
    },
  };
}

async function* reading(response: HttpResponse, call: Call, left: () => void): AsyncGenerator<Uint8Array, undefined> {
  let whole = false;
  try {
    if (call.cancelled) throw call.cancelled;
    yield* bodyStream(response.body);
    whole = true;
  } catch (thrown) {
    call.end(toFlotillaError(thrown));
    throw thrown;
  } finally {
    if (!whole) left();
    call.end(call.cancelled);
  }
}

/** RFC 6266: the exact one, else the plain one. */
function fileName(disposition: string | undefined): string | undefined {
  if (disposition === undefined) return undefined;
  const parameters = parseMediaType(disposition.replace(/^\s*([\w-]{1,50})/, 'x/$1'))?.parameters;
  const [, encoded] = /^utf-8'[^']{0,50}'(.*)$/i.exec(parameters?.get('filename*') ?? '') ?? [];
  const name = encoded === undefined ? undefined : decoded(encoded);
  const plain = parameters?.get('filename');
  const given = name ?? plain;
  return given === undefined ? undefined : safeFileName(given);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // the plain name is there for this
  }
}
