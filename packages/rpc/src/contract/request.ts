import { formatTexts } from './coerce.ts';
import { type HttpMapping, isTextBody } from './mapping.ts';
import { fillTemplate, parseTemplate } from './path-template.ts';

/** An input that HTTP cannot say where its operation wants it: `null` in a query, a slash in a path, … */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly field: string;

  constructor(field: string, detail: string) {
    super(`"${field}" ${detail}`);
    this.field = field;
  }
}

/** A request as data, before any transport. */
export interface RequestParts {
  readonly method: string;
  /** Percent-encoded. */
  readonly path: string;
  /** Without the `?`; empty without one. */
  readonly query: string;
  /** Input fields that travel in headers, cookies among them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What the JSON body says; undefined for none. */
  readonly body: unknown;
  /** The fields of a form, as texts; of `multipart()` too. */
  readonly form?: readonly (readonly [name: string, text: string])[];
  /** What the field holds that `bytes()`, `byteStream()` or `multipart()` adds to the input. */
  readonly carried?: unknown;
}

/**
 * The request that says an input. Typed clients use it, and tools that know an operation only by its description.
 * @throws InputError naming the field
 */
export function buildRequest(mapping: HttpMapping, input: unknown): RequestParts {
  const bound = Object.keys(mapping.places);
  const texts = isTextBody(mapping.body);
  const carrier = mapping.body && 'field' in mapping.body ? mapping.body.field : undefined;
  if (mapping.rest === 'none' && carrier === undefined) return emptyRequest(mapping);
  if (bound.length === 0 && mapping.rest === 'body' && !texts) return { ...emptyRequest(mapping), body: input };
  const fields = asFields(input);
  const rest = Object.keys(fields).filter((field) => field !== carrier && !Object.hasOwn(mapping.places, field));
  return {
    method: mapping.method,
    path: pathOf(mapping, fields),
    query: queryOf(mapping, fields, mapping.rest === 'query' ? rest : []),
    headers: headersOf(mapping, fields),
    body: mapping.rest === 'body' && !texts ? bodyOf(fields, rest) : undefined,
    ...(texts && { form: mapping.rest === 'body' ? pairsOf(mapping, fields, rest) : [] }),
    ...(carrier !== undefined && { carried: carriedOf(fields, carrier) }),
  };
}

// HTTP field content that needs no escaping (RFC 9110 §5.5), and none of white space at the ends.
const fieldValuePattern = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;

function emptyRequest({ method, path }: HttpMapping): RequestParts {
  return { method, path, query: '', headers: [], body: undefined };
}

function asFields(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input === 'object' && input !== null) return input as Readonly<Record<string, unknown>>;
  throw new InputError('input', `must be an object, got ${input === null ? 'null' : typeof input}`);
}

function pathOf(mapping: HttpMapping, fields: Readonly<Record<string, unknown>>): string {
  const template = parseTemplate(mapping.path);
  if (typeof template === 'string') throw new InputError('path', template);
  let last = '';
  const path = fillTemplate(template, (parameter) => {
    last = parameter;
    const texts = textsOf(mapping, fields, parameter);
    return texts.length === 1 ? texts[0] : undefined;
  });
  if (path !== undefined) return path;
  throw new InputError(last, 'must be one text that fits into a path: not empty, not "." or "..", without slashes');
}

function queryOf(mapping: HttpMapping, fields: Readonly<Record<string, unknown>>, rest: readonly string[]): string {
  const bound = Object.keys(mapping.places).filter((field) => mapping.places[field]?.in === 'query');
  const pairs = [...bound, ...rest].flatMap((field) =>
    textsOf(mapping, fields, field).map((text) => `${encode(field, field)}=${encode(field, text)}`),
  );
  return pairs.join('&');
}

function headersOf(mapping: HttpMapping, fields: Readonly<Record<string, unknown>>): [string, string][] {
  const headers: [string, string][] = [];
  const cookies: string[] = [];
  for (const [field, place] of Object.entries(mapping.places)) {
    if (place.in === 'header')
      for (const text of textsOf(mapping, fields, field)) headers.push([place.name, fieldValue(field, text)]);
    if (place.in === 'cookie')
      for (const text of textsOf(mapping, fields, field)) cookies.push(`${place.name}=${encode(field, text)}`);
  }
  if (cookies.length > 0) headers.push(['cookie', cookies.join('; ')]);
  return headers;
}

function pairsOf(
  mapping: HttpMapping,
  fields: Readonly<Record<string, unknown>>,
  rest: readonly string[],
): (readonly [name: string, text: string])[] {
  return rest.flatMap((field) =>
    textsOf(mapping, fields, field).map((text) => [wellFormed(field, field), wellFormed(field, text)] as const),
  );
}

function carriedOf(fields: Readonly<Record<string, unknown>>, carrier: string): unknown {
  const carried = Object.hasOwn(fields, carrier) ? fields[carrier] : undefined;
  if (carried !== undefined) return carried;
  throw new InputError(carrier, 'is missing: it is the body');
}

/** Without anything left to say there is no body: the callee then takes it as an object without further fields. */
function bodyOf(fields: Readonly<Record<string, unknown>>, rest: readonly string[]): unknown {
  const said = rest.filter((field) => fields[field] !== undefined);
  return said.length === 0 ? undefined : Object.fromEntries(said.map((field) => [field, fields[field]]));
}

function textsOf(mapping: HttpMapping, fields: Readonly<Record<string, unknown>>, field: string): readonly string[] {
  const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
  const shape = Object.hasOwn(mapping.texts, field) ? mapping.texts[field] : undefined;
  const texts = formatTexts(value, shape);
  if (texts) return texts;
  throw new InputError(field, `travels as text, which cannot say ${value === null ? 'null' : `this ${typeof value}`}`);
}

function encode(field: string, text: string): string {
  return encodeURIComponent(wellFormed(field, text));
}

function wellFormed(field: string, text: string): string {
  if (text.isWellFormed()) return text;
  throw new InputError(field, 'has half a character (a lone surrogate)');
}

function fieldValue(field: string, text: string): string {
  if (fieldValuePattern.test(text)) return text;
  throw new InputError(field, 'travels in a header: 1 or more visible ASCII characters, spaces only inside');
}
