import { FlotillaError, type Random } from '@flotilla/core';
import {
  encodeForm,
  encodeLine,
  formMediaType,
  type HttpBody,
  HttpHeaders,
  type HttpRequest,
  ndjsonMediaType,
  parsePath,
} from '@flotilla/http';
import { contractField } from '../../contract/fingerprint.ts';
import { buildRequest, contractHash, InputError, operationKinds, type RequestParts } from '../../contract/index.ts';
import type { CalledOperation } from '../operation-request.ts';
import { elementUnsayable } from '../unsayable.ts';
import { bytesBody, multipartOf } from './byte-body.ts';

const utf8 = new TextEncoder();

/** What a request is told besides its input. */
export interface RequestTerms {
  readonly authority: string;
  readonly random: Random;
}

/**
 * The request that says an input.
 * @throws FlotillaError INVALID_INPUT, `executed` no, for an input that HTTP or JSON cannot say
 */
export function requestOf(
  operation: CalledOperation,
  input: unknown,
  { authority, random }: RequestTerms,
): HttpRequest {
  const { mapping, name } = operation;
  try {
    const parts = buildRequest(mapping, input);
    const headers = new HttpHeaders(parts.headers);
    headers.set('accept', acceptOf(operation));
    if (operation.spec.in) headers.set(contractField, contractHash(operation.contract));
    const body = bodyOf(parts, operation, random, headers);
    const { method, query } = parts;
    return { method, authority, path: parsePath(parts.path), query, headers, body };
  } catch (thrown) {
    const why = thrown instanceof InputError || thrown instanceof FlotillaError ? thrown.message : 'it is no JSON';
    throw new FlotillaError('INVALID_INPUT', `${name} cannot be sent: ${why}`, { cause: thrown });
  }
}

/** @throws FlotillaError INVALID_INPUT, as {@link requestOf} would */
export function assertSayable(operation: CalledOperation, input: unknown): void {
  requestOf(operation, input, { authority: operation.info.contract, random: () => 0 });
}

function acceptOf({ info, mapping: { answer } }: CalledOperation): string {
  if (operationKinds[info.kind].response === 'many') return ndjsonMediaType;
  return answer ? [...answer.types, 'application/problem+json'].join(', ') : 'application/json';
}

/** Adds what the head says of the body. */
function bodyOf(
  parts: RequestParts,
  { mapping, name }: CalledOperation,
  random: Random,
  headers: HttpHeaders,
): HttpBody {
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
    case 'elements':
      headers.set('content-type', ndjsonMediaType);
      return linesOf(name, parts.body as AsyncIterable<unknown>);
    default:
      return jsonOf(parts, headers);
  }
}

async function* linesOf(name: string, elements: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, undefined> {
  let number = 0;
  for await (const element of elements) {
    yield lineOf(name, number++, element);
  }
}

function lineOf(name: string, number: number, element: unknown): Uint8Array {
  try {
    return encodeLine(element);
  } catch (cause) {
    throw elementUnsayable(name, number, cause);
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
