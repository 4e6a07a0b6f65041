import { FlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpRequest, ndjsonMediaType, parsePath } from '@flotilla/http';
import { buildRequest, InputError, type RequestParts } from '../contract/index.ts';
import type { Caller } from './options.ts';

const utf8 = new TextEncoder();

/**
 * The request that says an input.
 * @throws FlotillaError INVALID_INPUT, `executed` no, for an input that HTTP or JSON cannot say
 */
export function requestOf({ name, operation, mapping, options }: Caller, input: unknown): HttpRequest {
  try {
    const parts = buildRequest(mapping, input);
    const headers = new HttpHeaders(parts.headers);
    headers.set('accept', operation.kind === 'stream' ? ndjsonMediaType : 'application/json');
    const body = bodyOf(parts);
    if (body) headers.set('content-type', 'application/json');
    const { method, query } = parts;
    return { method, authority: options.authority, path: parsePath(parts.path), query, headers, body };
  } catch (thrown) {
    const why = thrown instanceof InputError || thrown instanceof FlotillaError ? thrown.message : 'it is no JSON';
    throw new FlotillaError('INVALID_INPUT', `${name} cannot be sent: ${why}`, { cause: thrown });
  }
}

function bodyOf({ body }: RequestParts): Uint8Array | undefined {
  const text: string | undefined = JSON.stringify(body);
  return text === undefined ? undefined : utf8.encode(text);
}
