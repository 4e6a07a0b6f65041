import { type Call, FlotillaError } from '@flotilla/core';
import { type HttpRequest, parseCookies, parseJson, readBody } from '@flotilla/http';
import { coerceTexts, type HttpMapping, isTextBody, type TextShape } from '../contract/index.ts';
import { cookieTexts } from '../cookie-text.ts';
import { refuseCoding } from './body-type.ts';
import { readBytes } from './read-bytes.ts';
import { addText, type FieldTexts, readForm } from './read-form.ts';
import { invalidInput } from './validate.ts';

/** Where the input of one operation is read from. */
export interface InputSource {
  /** `catalog.product` */
  readonly operation: string;
  readonly mapping: HttpMapping;
  /** Of JSON, where the contract has no limit of its own. */
  readonly maxBodyBytes: number;
}

/** An input as it was sent. */
export interface SentInput {
  /** Not parsed by its schema yet. */
  readonly value: unknown;
  /**
   * What the body adds once the rest is valid: bytes are not read for an input that is refused anyhow. Absent: nothing.
   * Rejects with BODY_TOO_LARGE.
   */
  readonly added?: () => Promise<Readonly<Record<string, unknown>>>;
  /** What may be behind it when the value is not valid. */
  readonly hint?: string;
}

/**
 * The input as it was sent, put together from path, query, headers, cookies and body.
 * @throws FlotillaError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_REQUEST, INVALID_INPUT
 */
export async function readInput(
  source: InputSource,
  request: HttpRequest,
  params: ReadonlyMap<string, string>,
  call: Call,
): Promise<SentInput> {
  const { mapping, operation } = source;
  const { body } = mapping;
  if (isTextBody(body)) {
    const { texts, files, hint } = await readForm(operation, body, request, call);
    const value = fieldsOf(source, request, params, (input) => takeTexts(source, texts, 'form', input));
    return files && 'field' in body ? { value, added: async () => ({ [body.field]: files }), ...hint } : { value };
  }
  if (mapping.rest === 'body') return { value: await readJson(source, request, params, call) };
  const added =
    body?.kind === 'bytes' || body?.kind === 'byteStream' ? readBytes(operation, body, request, call) : undefined;
  const value = fieldsOf(source, request, params, (input) => {
    if (mapping.rest === 'query') takeTexts(source, readQuery(operation, request.query), 'query', input);
  });
  return added ? { value, added } : { value };
}

async function readJson(
  source: InputSource,
  request: HttpRequest,
  params: ReadonlyMap<string, string>,
  call: Call,
): Promise<unknown> {
  const body = await readDocument(source, request, call);
  if (Object.keys(source.mapping.places).length === 0) return body;
  return fieldsOf(source, request, params, (input) => {
    if (body !== undefined) takeBody(source, body, input);
  });
}

/** An object of the fields that `take` finds and of those that are bound to places of their own. */
function fieldsOf(
  source: InputSource,
  request: HttpRequest,
  params: ReadonlyMap<string, string>,
  take: (input: Record<string, unknown>) => void,
): Record<string, unknown> | undefined {
  if (source.mapping.rest === 'none') return undefined;
  const input: Record<string, unknown> = {};
  take(input);
  if (Object.keys(source.mapping.places).length > 0) takePlaces(source, request, params, input);
  return input;
}

const maxQueryPairs = 1_000;

// A field of this name would reach past the object that holds it when somebody copies it on.
const refusedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const jsonType =
  /^application\/(?:json|[\w!#$&^.+-]{1,100}\+json)[\t ]*(?:;[\t ]*charset[\t ]*=[\t ]*"?utf-8"?[\t ]*)?$/i;

async function readDocument(source: InputSource, request: HttpRequest, call: Call): Promise<unknown> {
  const { body, headers } = request;
  refuseCoding(headers.get('content-encoding'), source.operation);
  if (body === undefined || (body instanceof Uint8Array && body.byteLength === 0)) return undefined;
  const type = headers.get('content-type');
  if (type === undefined || !jsonType.test(type)) throw noJson(source.operation, type);
  const own = source.mapping.body?.kind === 'json' ? source.mapping.body.maxBytes : undefined;
  const bytes = await readBody(body, own ?? source.maxBodyBytes, call);
  return bytes.byteLength === 0 ? undefined : parseJson(bytes);
}

function noJson(operation: string, type: string | undefined): FlotillaError {
  const got = type === undefined ? 'no content-type' : `"${type.slice(0, 100)}"`;
  return new FlotillaError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${operation} takes JSON in UTF-8: send content-type: application/json, got ${got}`,
    { data: { accepted: ['application/json'] } },
  );
}

function takeTexts(
  { operation, mapping }: InputSource,
  fields: FieldTexts,
  where: 'query' | 'form',
  input: Record<string, unknown>,
): void {
  for (const [name, texts] of fields) {
    if (refusedNames.has(name)) throw refusedName(operation, name);
    // A field that has another place is not taken from here: two places could say two things.
    if (Object.hasOwn(mapping.places, name)) throw elsewhere(operation, mapping, name, where);
    input[name] = coerceTexts(texts, mapping.texts[name] ?? anyText);
  }
  for (const [name, shape] of Object.entries(mapping.texts)) {
    if (shape.required && !Object.hasOwn(mapping.places, name) && !Object.hasOwn(input, name)) {
      input[name] = coerceTexts([], shape);
    }
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
    addText(fields, name, text);
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
