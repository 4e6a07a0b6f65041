import { FlotillaError, type Random } from '@flotilla/core';
import {
  encodeForm,
  formMediaType,
  type HttpBody,
  HttpHeaders,
  type HttpRequest,
  ndjsonMediaType,
  parsePath,
} from '@flotilla/http';
import { buildRequest, type HttpMapping, InputError, type RequestParts } from '../contract/index.ts';
import { bytesBody, multipartOf } from './byte-body.ts';
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
    headers.set('accept', operation.kind === 'stream' ? ndjsonMediaType : acceptOf(mapping));
    const body = bodyOf(parts, mapping, options.random, headers);
    const { method, query } = parts;
    return { method, authority: options.authority, path: parsePath(parts.path), query, headers, body };
  } catch (thrown) {
    const why = thrown instanceof InputError || thrown instanceof FlotillaError ? thrown.message : 'it is no JSON';
    throw new FlotillaError('INVALID_INPUT', `${name} cannot be sent: ${why}`, { cause: thrown });
  }
}

function acceptOf({ answer }: HttpMapping): string {
  return answer ? [...answer.types, 'application/problem+json'].join(', ') : 'application/json';
}

/** Adds what the head says of the body. */
function bodyOf(parts: RequestParts, mapping: HttpMapping, random: Random, headers: HttpHeaders): HttpBody {
  const { form = [], carried } = parts;
  const kind = mapping.body;
  switch (kind?.kind) {
    case 'form':
      headers.set('content-type', formMediaType);
      return utf8.encode(encodeForm(form));
    case 'multipart':
      return described(multipartOf(form, carried, kind, boundaryBy(random)), headers);
    case 'bytes':
    case 'byteStream':
      return described(bytesBody(carried, kind), headers);
    default:
      return jsonOf(parts, headers);
  }
}

function described(
  { type, length, body }: { readonly type: string; readonly length: number | undefined; readonly body: HttpBody },
  headers: HttpHeaders,
): HttpBody {
  headers.set('content-type', type);
  if (length !== undefined && !(body instanceof Uint8Array)) headers.set('content-length', String(length));
  return body;
}

function jsonOf({ body }: RequestParts, headers: HttpHeaders): Uint8Array | undefined {
  const text: string | undefined = JSON.stringify(body);
  if (text === undefined) return undefined;
  headers.set('content-type', 'application/json');
  return utf8.encode(text);
}

/** 128 bits: no content holds it by chance. */
function boundaryBy(random: Random): string {
  let text = 'flotilla-';
  for (let i = 0; i < 4; i++) {
    text += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  }
  return text;
}
