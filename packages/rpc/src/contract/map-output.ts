import { bytesMappingOf } from './bodies.ts';
import { checkHeader, checkSetCookie } from './field-places.ts';
import { knownFields, shapesOf } from './field-texts.ts';
import type { HttpBinding, SetCookie } from './http-binding.ts';
import { type AnyOperation, operationKinds } from './operation.ts';
import { parametersOf, parseTemplate } from './path-template.ts';
import { listed, type Report } from './report.ts';
import type { TextShape } from './text-shape.ts';

/** Where the output travels other than in the body. */
export interface OutputMapping {
  /** Template of the header `location`, from output fields. */
  readonly location?: string;
  /** Output field → response header, in lower case. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Output field → cookie. */
  readonly setCookies: Readonly<Record<string, SetCookie>>;
  /** How output fields that travel as text are read. */
  readonly outputTexts: Readonly<Record<string, TextShape>>;
}

/** Works out the headers, the cookies and the `location` of a success. */
export function mapOutput(operation: AnyOperation, binding: HttpBinding, report: Report): OutputMapping {
  const { location } = binding;
  return {
    ...(location === undefined ? undefined : { location: checkLocation(operation, location, report) }),
    ...mapFields(operation, binding, report),
  };
}

function checkLocation({ out, kind }: AnyOperation, location: string, report: Report): string {
  const template = parseTemplate(location);
  if (typeof template === 'string') {
    report(`location: ${template}`);
    return location;
  }
  const fields = parametersOf(template);
  if (operationKinds[kind].response === 'many') report(`a ${kind} has no location`);
  if (fields.length > 0 && bytesMappingOf(out)) report(`location names ${listed(fields)}, but the output is bytes`);
  if (fields.length > 0 && !out) report(`location names ${listed(fields)}, but there is no output`);
  const known = out && knownFields(out, 'output', report);
  for (const field of fields) {
    if (known && !known.schemas.has(field)) report(`location names "${field}", but the output has no such field`);
  }
  return location;
}

function mapFields(operation: AnyOperation, binding: HttpBinding, report: Report): OutputMapping {
  const responseHeaders: Record<string, string> = {};
  for (const [field, header] of Object.entries(binding.responseHeader ?? {})) {
    responseHeaders[field] = checkHeader(header, report);
    if (responseHeaders[field] === 'location') report('set "location" instead of a response header of that name');
  }
  const setCookies = { ...binding.setCookie };
  for (const [field, cookie] of Object.entries(setCookies)) {
    checkSetCookie(cookie, report);
    if (Object.hasOwn(responseHeaders, field)) report(`output field "${field}" is bound to a header and to a cookie`);
  }
  const fields = [...Object.keys(responseHeaders), ...Object.keys(setCookies)];
  if (fields.length === 0) return { responseHeaders, setCookies, outputTexts: {} };
  const many = operationKinds[operation.kind].response === 'many';
  if (many || !operation.out || bytesMappingOf(operation.out)) {
    const why = many ? `a ${operation.kind} has many` : operation.out ? 'it is bytes' : 'there is no output';
    report(`${listed(fields)} of the output cannot be bound: ${why}`);
    return { responseHeaders, setCookies, outputTexts: {} };
  }
  const known = knownFields(operation.out, 'output', report);
  return { responseHeaders, setCookies, outputTexts: shapesOf(fields, {}, known, 'output', report) };
}
