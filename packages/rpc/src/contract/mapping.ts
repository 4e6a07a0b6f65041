import { type FieldPlace, placeFields } from './field-places.ts';
import { inputTexts } from './field-texts.ts';
import type { HttpBinding, HttpMethod } from './http-binding.ts';
import { mapOutput, type OutputMapping } from './map-output.ts';
import type { AnyOperation } from './operation.ts';
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
  /** Where all other input fields travel; `none`: there is no input. */
  readonly rest: 'body' | 'query' | 'none';
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
    ...mapOutput(operation, binding, report),
  });
}

function successStatus({ kind, out }: AnyOperation, binding: HttpBinding, report: Report): number {
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
