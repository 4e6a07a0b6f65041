import { type Call, errorRow, FlotillaError } from '@flotilla/core';
import {
  acceptsMediaType,
  errorFromResponse,
  type HttpResponse,
  parseCookies,
  parseJson,
  parseJsonText,
  readBody,
} from '@flotilla/http';
import { type AnyOperation, coerceTexts, type HttpMapping, type TextShape } from '../../contract/index.ts';
import { cookieTexts } from '../../cookie-text.ts';

/** How the answers of one operation are read. */
export interface Reading {
  /** `catalog.product` */
  readonly name: string;
  readonly operation: AnyOperation;
  readonly mapping: HttpMapping;
  readonly maxBytes: number;
}

/**
 * The output that a success says: body, headers and cookies put together again.
 * @throws FlotillaError BAD_RESPONSE, or whatever reading the body rejects with
 */
export async function readOutput(reading: Reading, response: HttpResponse, call: Call): Promise<unknown> {
  const bytes = await readAnswer(reading, response, call);
  const { operation, mapping, name } = reading;
  if (!operation.out) return undefined;
  if (mapping.answer) {
    answeredType(name, mapping.answer, response);
    return bytes;
  }
  if (bytes.byteLength === 0) throw badResponse(name, 'no output, but its contract promises one');
  const document = parseAnswer(name, bytes);
  const fields = [...Object.keys(mapping.responseHeaders), ...Object.keys(mapping.setCookies)];
  if (fields.length === 0) return document;
  if (typeof document !== 'object' || document === null) {
    throw badResponse(name, 'no JSON object, though fields of it are in headers');
  }
  return { ...document, ...boundFields(mapping, response) };
}

/**
 * The error that an answer says.
 * @returns an error of the contract or of the platform; BAD_RESPONSE for any other
 */
export async function readError(reading: Reading, response: HttpResponse, call: Call): Promise<FlotillaError> {
  return declaredOrBad(reading, errorFromResponse(response, await readAnswer(reading, response, call)));
}

/** The error itself if the caller was told that it may come, else BAD_RESPONSE. */
export function declaredOrBad(
  { name, operation }: Pick<Reading, 'name' | 'operation'>,
  error: FlotillaError,
): FlotillaError {
  if (Object.hasOwn(operation.errors, error.code) || errorRow(error.code)) return error;
  return new FlotillaError(
    'BAD_RESPONSE',
    `${name} answered an error "${error.code}" that its contract does not declare; is the callee newer than this caller?`,
    { executed: error.executed, fromPeer: true, cause: error },
  );
}

/**
 * Checks that an answer is of a type that the contract names.
 * @returns the type
 * @throws FlotillaError BAD_RESPONSE
 */
export function answeredType(
  name: string,
  { types }: NonNullable<HttpMapping['answer']>,
  response: HttpResponse,
): string {
  const type = response.headers.get('content-type') ?? '';
  if (acceptsMediaType(types.join(','), [type]) !== undefined) return type;
  throw badResponse(name, `"${type.slice(0, 100)}"; its contract says ${types.join(', ')}`);
}

export function badResponse(name: string, what: string, cause?: unknown): FlotillaError {
  return new FlotillaError('BAD_RESPONSE', `${name} answered ${what}`, { fromPeer: true, cause });
}

/** Reads JSON of an answer. @throws FlotillaError BAD_RESPONSE */
export function parseAnswer(name: string, document: Uint8Array | string): unknown {
  try {
    return typeof document === 'string' ? parseJsonText(document) : parseJson(document);
  } catch (cause) {
    throw badResponse(
      name,
      `something that is not understood: ${cause instanceof FlotillaError ? cause.detail : cause}`,
      cause,
    );
  }
}

async function readAnswer({ name, maxBytes }: Reading, response: HttpResponse, call: Call): Promise<Uint8Array> {
  try {
    return await readBody(response.body, maxBytes, call);
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError) || thrown.code !== 'BODY_TOO_LARGE') throw thrown;
    throw badResponse(name, `more than ${maxBytes} bytes; see maxResponseBytes`, thrown);
  }
}

function boundFields(mapping: HttpMapping, { headers }: HttpResponse): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const take = (field: string, texts: readonly string[]): void => {
    const shape = mapping.outputTexts[field] ?? anyText;
    const value = texts.length === 0 && shape.types.includes('null') ? null : coerceTexts(texts, shape);
    if (value !== undefined) fields[field] = value;
  };
  for (const [field, name] of Object.entries(mapping.responseHeaders)) take(field, headers.getAll(name));
  const cookies = headers.getAll('set-cookie').map((field) => parseCookies(field.split(';', 1)[0] ?? ''));
  for (const [field, { name }] of Object.entries(mapping.setCookies)) {
    take(
      field,
      cookies.flatMap((cookie) => cookieTexts(cookie, name)),
    );
  }
  return fields;
}

const anyText: TextShape = { types: ['string'], literals: [], list: 'never', required: false };
