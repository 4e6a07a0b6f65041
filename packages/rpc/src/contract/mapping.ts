import type { HttpBinding, HttpMethod, SetCookie } from './http-binding.ts';
import type { AnyOperation } from './operation.ts';
import { parametersOf, parseTemplate } from './path-template.ts';
import { jsonSchemaOf, type Schema } from './schema.ts';
import { type Fields, fieldsOf, shapeOfSchemas, shapeOfType, type TextShape } from './text-shape.ts';

/** Where one input field travels, other than in the body. */
export type FieldPlace =
  | { readonly in: 'path' | 'query' }
  /** `name` in lower case for headers. */
  | { readonly in: 'header' | 'cookie'; readonly name: string };

/**
 * An operation in HTTP, worked out and checked. Plain JSON: it travels in a contract's description, so that a tool can
 * make calls without the contract. `conformance/golden/http-mapping.json` shows it on examples.
 */
export interface HttpMapping {
  readonly method: HttpMethod;
  /** Template: `/products/{id}`. */
  readonly path: string;
  /** Of a success. */
  readonly status: number;
  /** Input fields that travel one by one. */
  readonly places: Readonly<Record<string, FieldPlace>>;
  /** Where all other input fields travel; `none`: there is no input. */
  readonly rest: 'body' | 'query' | 'none';
  /** How input fields that travel as text are read. One that is not here is a text. */
  readonly texts: Readonly<Record<string, TextShape>>;
  /** Template of the header `location`, from output fields. */
  readonly location?: string;
  /** Output field → response header, in lower case. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Output field → cookie. */
  readonly setCookies: Readonly<Record<string, SetCookie>>;
  /** How output fields that travel as text are read. */
  readonly outputTexts: Readonly<Record<string, TextShape>>;
}

/** Without an `http` of its own: the input is the JSON body of `POST /{contract}/v{version}/{operation}`. */
export function defaultBinding(contract: string, version: number, operation: string): HttpBinding {
  return { method: 'POST', path: `/${contract}/v${version}/${operation}` };
}

/**
 * Works out the mapping of one operation.
 * @param report is called with each mistake, a sentence without the operation's name. The result is then of no use.
 */
export function mapOperation(
  operation: AnyOperation,
  binding: HttpBinding,
  report: (mistake: string) => void,
): HttpMapping {
  const hasBody = binding.method === 'POST' || binding.method === 'PUT' || binding.method === 'PATCH';
  const places = placeFields(binding, hasBody, report);
  const rest = operation.in === undefined ? 'none' : hasBody ? 'body' : 'query';
  return Object.freeze({
    method: binding.method,
    path: binding.path,
    status: successStatus(operation, binding, report),
    places,
    rest,
    texts: inputTexts(operation, places, rest, report),
    ...(binding.location === undefined ? undefined : { location: checkLocation(operation, binding.location, report) }),
    ...mapOutput(operation, binding, report),
  });
}

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;

// Fields that the transport, the framing or the call's context own.
const ownedHeader =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|cookie|set-cookie|traceparent|tracestate|baggage|priority|idempotency-key|grpc-timeout|connect-timeout-ms|flotilla-.*|accept|allow|date)$/;

function placeFields(
  binding: HttpBinding,
  hasBody: boolean,
  report: (mistake: string) => void,
): Record<string, FieldPlace> {
  const places: Record<string, FieldPlace> = {};
  const place = (field: string, at: FieldPlace): void => {
    if (field === '__proto__') report('"__proto__" cannot be a field');
    else if (Object.hasOwn(places, field)) report(`field "${field}" is bound to ${places[field]?.in} and to ${at.in}`);
    else places[field] = Object.freeze(at);
  };
  const template = parseTemplate(binding.path);
  if (typeof template === 'string') report(template);
  else for (const parameter of parametersOf(template)) place(parameter, { in: 'path' });
  if (binding.query && !hasBody)
    report(`"query" is for methods with a body: for ${binding.method} the query is where fields go anyway`);
  for (const field of binding.query ?? []) place(field, { in: 'query' });
  for (const [field, header] of Object.entries(binding.header ?? {})) {
    place(field, { in: 'header', name: checkHeader(header, report) });
  }
  for (const [field, cookie] of Object.entries(binding.cookie ?? {})) {
    if (!tokenPattern.test(cookie)) report(`cookie "${cookie}" is not a token (RFC 6265 §4.1.1)`);
    place(field, { in: 'cookie', name: cookie });
  }
  return places;
}

function checkHeader(header: string, report: (mistake: string) => void): string {
  const name = header.toLowerCase();
  if (!tokenPattern.test(name)) report(`header "${header}" is not a token (RFC 9110 §5.1)`);
  else if (ownedHeader.test(name)) report(`header "${header}" belongs to the transport; choose another name`);
  return name;
}

function successStatus({ kind, out }: AnyOperation, binding: HttpBinding, report: (mistake: string) => void): number {
  const usual = kind === 'notify' ? 202 : kind === 'stream' || out ? 200 : 204;
  const status = binding.status ?? usual;
  if (!Number.isInteger(status) || status < 200 || status > 299 || status === 205 || status === 206) {
    report(`status ${status} is no success with a whole answer: use 200 to 204 or 207 to 299`);
  } else if (status === 204 && out && binding.status !== undefined) {
    report('status 204 has no body, but there is an output');
  } else if (kind === 'stream' && status !== 200) {
    report(`a stream answers 200, not ${status}`);
  }
  return status;
}

/** Text fields need a type: from `coerce`, else from the JSON Schema; the rest of the query may hold any field of it. */
function inputTexts(
  operation: AnyOperation,
  places: Readonly<Record<string, FieldPlace>>,
  rest: HttpMapping['rest'],
  report: (mistake: string) => void,
): Record<string, TextShape> {
  const bound = Object.keys(places);
  const coerce = operation.coerce ?? {};
  for (const field of Object.keys(coerce)) {
    if (rest === 'body' && !bound.includes(field)) {
      report(`coerce names "${field}", which travels in the JSON body and needs no coercion`);
    }
  }
  if (bound.length === 0 && rest !== 'query') return {};
  if (operation.in === undefined) {
    report(`${listed(bound)} ${bound.length === 1 ? 'is' : 'are'} bound, but there is no input ("in")`);
    return {};
  }
  const known = knownFields(operation.in, 'input', report);
  if (!known && bound.length === 0 && Object.keys(coerce).length === 0) {
    report(
      'its schema gives no JSON Schema, so the fields of the query are unknown: list them in coerce, as in { id: "string" }',
    );
  }
  const wanted = rest === 'query' ? [...bound, ...(known?.schemas.keys() ?? []), ...Object.keys(coerce)] : bound;
  return shapesOf(new Set(wanted), coerce, known, 'input', report);
}

interface KnownFields extends Fields {
  readonly root: { readonly [keyword: string]: unknown };
}

function knownFields(
  schema: Schema,
  side: 'input' | 'output',
  report: (mistake: string) => void,
): KnownFields | undefined {
  const root = jsonSchemaOf(schema, side);
  if (!root) return undefined;
  const fields = fieldsOf(root);
  if (!fields) report(`its ${side} is not an object, so its fields cannot travel outside the body`);
  return { root, schemas: fields?.schemas ?? new Map(), required: fields?.required ?? new Set() };
}

function shapesOf(
  fields: Iterable<string>,
  coerce: NonNullable<AnyOperation['coerce']>,
  known: KnownFields | undefined,
  side: 'input' | 'output',
  report: (mistake: string) => void,
): Record<string, TextShape> {
  const shapes: Record<string, TextShape> = {};
  for (const field of fields) {
    const explicit = Object.hasOwn(coerce, field) ? coerce[field] : undefined;
    const shape = explicit === undefined ? knownShape(field, known, side, report) : shapeOfType(explicit);
    if (shape) shapes[field] = Object.freeze(shape);
  }
  return shapes;
}

function knownShape(
  field: string,
  known: KnownFields | undefined,
  side: 'input' | 'output',
  report: (mistake: string) => void,
): TextShape | undefined {
  if (!known) {
    const remedy =
      side === 'input' ? `add coerce: { ${field}: "string" }` : 'use a schema that gives one, or leave it in the body';
    report(`field "${field}" travels as text, but its schema gives no JSON Schema: ${remedy}`);
    return undefined;
  }
  const schemas = known.schemas.get(field);
  if (!schemas) {
    report(`field "${field}" is bound, but the ${side} has no such field`);
    return undefined;
  }
  const shape = shapeOfSchemas(schemas, known.root, known.required.has(field));
  if (!shape) report(`field "${field}" is an object: it cannot travel as text, only in the body`);
  return shape;
}

function checkLocation({ out, kind }: AnyOperation, location: string, report: (mistake: string) => void): string {
  const template = parseTemplate(location);
  if (typeof template === 'string') {
    report(`location: ${template}`);
    return location;
  }
  const fields = parametersOf(template);
  if (kind === 'stream') report('a stream has no location');
  if (fields.length > 0 && !out) report(`location names ${listed(fields)}, but there is no output`);
  const known = out && knownFields(out, 'output', report);
  for (const field of fields) {
    if (known && !known.schemas.has(field)) report(`location names "${field}", but the output has no such field`);
  }
  return location;
}

function mapOutput(
  operation: AnyOperation,
  binding: HttpBinding,
  report: (mistake: string) => void,
): Pick<HttpMapping, 'responseHeaders' | 'setCookies' | 'outputTexts'> {
  const responseHeaders: Record<string, string> = {};
  for (const [field, header] of Object.entries(binding.responseHeader ?? {})) {
    responseHeaders[field] = checkHeader(header, report);
    if (responseHeaders[field] === 'location') report('set "location" instead of a response header of that name');
  }
  const setCookies = { ...binding.setCookie };
  for (const [field, { name }] of Object.entries(setCookies)) {
    if (!tokenPattern.test(name)) report(`cookie "${name}" is not a token (RFC 6265 §4.1.1)`);
    if (Object.hasOwn(responseHeaders, field)) report(`output field "${field}" is bound to a header and to a cookie`);
  }
  const fields = [...Object.keys(responseHeaders), ...Object.keys(setCookies)];
  if (fields.length === 0) return { responseHeaders, setCookies, outputTexts: {} };
  if (operation.kind === 'stream' || !operation.out) {
    report(
      `${listed(fields)} of the output cannot be bound: ${operation.out ? 'a stream has many' : 'there is no output'}`,
    );
    return { responseHeaders, setCookies, outputTexts: {} };
  }
  const known = knownFields(operation.out, 'output', report);
  return { responseHeaders, setCookies, outputTexts: shapesOf(fields, {}, known, 'output', report) };
}

function listed(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
