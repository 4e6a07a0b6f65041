import { type BodyMapping, type BytesMapping, bytesMappingOf, checkBody } from './bodies.ts';
import { type FieldPlace, placeFields } from './field-places.ts';
import { inputTexts, knownFields } from './field-texts.ts';
import type { HttpBinding, HttpMethod } from './http-binding.ts';
import { mapOutput, type OutputMapping } from './map-output.ts';
import { concreteTypes } from './media-range.ts';
import { type AnyOperation, operationKinds } from './operation.ts';
import type { Report } from './report.ts';
import type { TextShape } from './text-shape.ts';

/**
 * An operation in HTTP, worked out and checked. Plain JSON: it travels in a contract's description, so that a tool can
 * make calls without the contract. `conformance/golden/http-mapping.json` shows it on examples.
 */
export interface HttpMapping extends OutputMapping {
  readonly method: HttpMethod;
  /** Template: `/products/{id}`. */
  readonly path: string;
  /** Of a success. */
  readonly status: number;
  /** Input fields that travel one by one. */
  readonly places: Readonly<Record<string, FieldPlace>>;
  /** Where all other input fields travel; `none`: there is no input, besides what {@link body} adds. */
  readonly rest: 'body' | 'query' | 'none';
  /** How the body is read. Absent: it is JSON, where {@link rest} says that there is one. */
  readonly body?: BodyMapping;
  /** The answer is bytes of one of these types. Absent: it is JSON, if anything. */
  readonly answer?: Pick<BytesMapping, 'kind' | 'types'>;
  /** How input fields that travel as text are read. One that is not here is a text. */
  readonly texts: Readonly<Record<string, TextShape>>;
}

/** Without an `http` of its own: the input is the JSON body of `POST /{contract}/v{version}/{operation}`. */
export function defaultBinding(contract: string, version: number, operation: string): HttpBinding {
  return { method: 'POST', path: `/${contract}/v${version}/${operation}` };
}

/**
 * Works out the mapping of one operation.
 * @param report is called with each mistake; the result is then of no use
 */
export function mapOperation(operation: AnyOperation, binding: HttpBinding, report: Report): HttpMapping {
  if (operationKinds[operation.kind].request === 'many') return mapElements(operation, binding, report);
  const hasBody = binding.method === 'POST' || binding.method === 'PUT' || binding.method === 'PATCH';
  const body = hasBody ? binding.body?.mapping : undefined;
  if (binding.body && !hasBody) report(`a body needs POST, PUT or PATCH, not ${binding.method}`);
  const fieldsInBody = hasBody && body?.kind !== 'bytes' && body?.kind !== 'byteStream';
  const places = placeFields(binding, fieldsInBody, report);
  const rest = operation.in === undefined ? 'none' : fieldsInBody ? 'body' : 'query';
  if (body) checkInputBody(operation, body, places, report);
  const answer = answerOf(operation, report);
  return Object.freeze({
    method: binding.method,
    path: binding.path,
    status: successStatus(operation, binding, report),
    places,
    rest,
    texts: inputTexts(operation, places, { rest, allTexts: rest === 'query' || isTextBody(body) }, report),
    ...(body && { body }),
    ...(answer && { answer }),
    ...mapOutput(operation, binding, report),
  });
}

/** The body is the elements, so nothing of an input can travel elsewhere. */
function mapElements(operation: AnyOperation, binding: HttpBinding, report: Report): HttpMapping {
  const { kind } = operation;
  if (operation.in === undefined) report(`${kind}() takes elements: "in" is the schema of each`);
  if (kind === 'duplex' && operation.out === undefined)
    report('duplex() answers elements: "out" is the schema of each');
  if (binding.method !== 'POST' && binding.method !== 'PUT')
    report(`${kind}() needs POST or PUT, not ${binding.method}`);
  if (binding.body) report(`the body of ${kind}() is its elements; "body" cannot say another`);
  for (const [field, place] of Object.entries(placeFields(binding, true, report))) {
    report(
      `"${field}" is bound to the ${place.in}, but the input of ${kind}() is many elements: all of them travel in the body`,
    );
  }
  if (answerOf(operation, report)) report(`the output of ${kind}() is JSON, not bytes`);
  return Object.freeze({
    method: binding.method,
    path: binding.path,
    status: successStatus(operation, binding, report),
    places: {},
    rest: 'body',
    texts: {},
    body: Object.freeze({ kind: 'elements' }),
    ...mapOutput(operation, binding, report),
  });
}

/** Are the fields in this body texts, as those of a query are? */
export function isTextBody(body: BodyMapping | undefined): body is BodyMapping & { kind: 'form' | 'multipart' } {
  return body?.kind === 'form' || body?.kind === 'multipart';
}

function checkInputBody(
  operation: AnyOperation,
  body: BodyMapping,
  places: Readonly<Record<string, FieldPlace>>,
  report: Report,
): void {
  checkBody(body, report);
  if (!('field' in body)) {
    if (operation.in === undefined) report(`${body.kind}() reads an input, but there is none ("in")`);
    return;
  }
  const { field } = body;
  if (!fieldPattern.test(field)) report(`${body.kind}(): "${field}" cannot be the name of a field`);
  const known = operation.in && knownFields(operation.in, 'input', report);
  if (known?.schemas.has(field) || Object.hasOwn(places, field)) {
    report(`${body.kind}() fills "${field}", which is a field of the input ("in") too: give one another name`);
  }
}

const fieldPattern = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;

function answerOf({ kind, out }: AnyOperation, report: Report): HttpMapping['answer'] {
  const mapping = bytesMappingOf(out);
  if (!mapping) return undefined;
  checkBody(mapping, report);
  if (operationKinds[kind].response === 'many')
    report(`a ${kind} has elements of JSON; for a stream of bytes use query() with ${mapping.kind}()`);
  if (concreteTypes(mapping.types).length === 0) {
    report(`the output of ${mapping.kind}() needs a media type that is no range, to say when a handler does not`);
  }
  return { kind: mapping.kind, types: mapping.types };
}

function successStatus({ kind, out }: AnyOperation, binding: HttpBinding, report: Report): number {
  const usual = kind === 'notify' ? 202 : operationKinds[kind].response === 'many' || out ? 200 : 204;
  const status = binding.status ?? usual;
  if (!Number.isInteger(status) || status < 200 || status > 299 || status === 205 || status === 206) {
    report(`status ${status} is no success with a whole answer: use 200 to 204 or 207 to 299`);
  } else if (status === 204 && out && binding.status !== undefined) {
    report('status 204 has no body, but there is an output');
  } else if (operationKinds[kind].response === 'many' && status !== 200) {
    report(`a ${kind} answers 200, not ${status}`);
  }
  return status;
}
