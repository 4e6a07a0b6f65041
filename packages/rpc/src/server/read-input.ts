import { type Call, FlotillaError } from '@flotilla/core';
import { type HttpRequest, parseCookies, parseJson, readBody } from '@flotilla/http';
import { coerceTexts, type HttpMapping, type TextShape } from '../contract/index.ts';
import { cookieTexts } from '../cookie-text.ts';
import { describeIssues, type Issue } from './validate.ts';

/** Where the input of one operation is read from. */
export interface InputSource {
  /** `catalog.product` */
  readonly operation: string;
  readonly mapping: HttpMapping;
  readonly maxBodyBytes: number;
}

/**
 * The input as it was sent, put together from path, query, headers, cookies and body; not parsed by its schema yet.
 * @throws FlotillaError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_REQUEST, INVALID_INPUT
 */
export async function readInput(
  source: InputSource,
  request: HttpRequest,
  params: ReadonlyMap<string, string>,
  call: Call,
): Promise<unknown> {
  const { mapping } = source;
  if (mapping.rest === 'none') return undefined;
  const body = mapping.rest === 'body' ? await readDocument(source, request, call) : undefined;
  const bound = Object.keys(mapping.places).length > 0;
  if (mapping.rest === 'body' && !bound) return body;
  const input: Record<string, unknown> = {};
  if (mapping.rest === 'query') takeQuery(source, request.query, input);
  if (body !== undefined) takeBody(source, body, input);
  if (bound) takePlaces(source, request, params, input);
  return input;
}

/** INVALID_INPUT as a caller sees it. */
export function invalidInput(operation: string, issues: readonly Issue[]): FlotillaError {
  return new FlotillaError('INVALID_INPUT', `${operation} does not take this: ${describeIssues(issues)}`, {
    data: { issues },
  });
}

const maxQueryPairs = 1_000;

// A field of this name would reach past the object that holds it when somebody copies it on.
const refusedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const jsonType =
  /^application\/(?:json|[\w!#$&^.+-]{1,100}\+json)[\t ]*(?:;[\t ]*charset[\t ]*=[\t ]*"?utf-8"?[\t ]*)?$/i;

async function readDocument(source: InputSource, request: HttpRequest, call: Call): Promise<unknown> {
  const { body } = request;
  if (body === undefined || (body instanceof Uint8Array && body.byteLength === 0)) return undefined;
  const type = request.headers.get('content-type');
  if (type === undefined || !jsonType.test(type)) throw unsupported(source.operation, type);
  const bytes = await readBody(body, source.maxBodyBytes, call);
  return bytes.byteLength === 0 ? undefined : parseJson(bytes);
}

function unsupported(operation: string, type: string | undefined): FlotillaError {
  const got = type === undefined ? 'no content-type' : `"${type.slice(0, 100)}"`;
  return new FlotillaError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${operation} takes JSON in UTF-8: send content-type: application/json, got ${got}`,
  );
}

function takeQuery({ operation, mapping }: InputSource, query: string, input: Record<string, unknown>): void {
  for (const [name, texts] of readQuery(operation, query)) {
    if (refusedNames.has(name)) throw refusedName(operation, name);
    // A field that has another place is not taken from here: two places could say two things.
    if (Object.hasOwn(mapping.places, name)) throw elsewhere(operation, mapping, name, 'query');
    input[name] = coerceTexts(texts, mapping.texts[name] ?? anyText);
  }
  for (const [name, shape] of Object.entries(mapping.texts)) {
    if (shape.required && !Object.hasOwn(input, name)) input[name] = coerceTexts([], shape);
  }
}

function takeBody({ operation, mapping }: InputSource, body: unknown, input: Record<string, unknown>): void {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidInput(operation, [{ path: [], message: 'the body must be a JSON object' }]);
  }
  for (const [name, value] of Object.entries(body)) {
    if (refusedNames.has(name)) throw refusedName(operation, name);
    if (Object.hasOwn(mapping.places, name)) throw elsewhere(operation, mapping, name, 'body');
    input[name] = value;
  }
}

function takePlaces(
  { operation, mapping }: InputSource,
  request: HttpRequest,
  params: ReadonlyMap<string, string>,
  input: Record<string, unknown>,
): void {
  let query: Map<string, string[]> | undefined;
  let cookies: ReadonlyMap<string, string> | undefined;
  const textsAt = (field: string, place: HttpMapping['places'][string]): readonly string[] => {
    switch (place.in) {
      case 'path':
        return present(params.get(field));
      case 'query':
        query ??= readQuery(operation, request.query);
        return query.get(field) ?? [];
      case 'header':
        return request.headers.getAll(place.name);
      case 'cookie':
        cookies ??= readCookies(request);
        return cookieTexts(cookies, place.name);
    }
  };
  for (const [field, place] of Object.entries(mapping.places)) {
    const value = coerceTexts(textsAt(field, place), mapping.texts[field] ?? anyText);
    if (value !== undefined) input[field] = value;
  }
}

const anyText: TextShape = { types: ['string'], literals: [], list: 'never', required: false };

/** Keys and values as forms write them: `+` is a blank, escapes that are none stay as they are. */
function readQuery(operation: string, query: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  let pairs = 0;
  for (const [name, text] of new URLSearchParams(query)) {
    if (++pairs > maxQueryPairs) {
      throw invalidInput(operation, [{ path: [], message: `the query has more than ${maxQueryPairs} values` }]);
    }
    const texts = fields.get(name);
    if (texts) texts.push(text);
    else fields.set(name, [text]);
  }
  return fields;
}

function readCookies(request: HttpRequest): ReadonlyMap<string, string> {
  return parseCookies(request.headers.getAll('cookie').join('; '));
}

function present(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}

function refusedName(operation: string, name: string): FlotillaError {
  return invalidInput(operation, [{ path: [name], message: 'no field may have this name' }]);
}

function elsewhere(operation: string, mapping: HttpMapping, name: string, place: string): FlotillaError {
  const message = `belongs in the ${mapping.places[name]?.in}, not in the ${place}`;
  return invalidInput(operation, [{ path: [name], message }]);
}
