import { FlotillaError } from '@flotilla/core';
import { formatSetCookie, HttpHeaders, type HttpResponse, isFieldValue } from '@flotilla/http';
import { fillTemplate, formatTexts, type HttpMapping, parseTemplate } from '../contract/index.ts';

const utf8 = new TextEncoder();

/**
 * The answer that says an output: status, `location`, headers, cookies, and the rest as JSON body.
 * @param output parsed by its schema; undefined for an operation without one
 * @throws FlotillaError INTERNAL when the output does not fit where the contract binds it
 */
export function writeOutput(operation: string, mapping: HttpMapping, output: unknown): HttpResponse {
  const headers = new HttpHeaders();
  if (isAllBody(mapping)) return bodyOnly(mapping, headers, output);
  if (mapping.location !== undefined) headers.set('location', locationOf(operation, mapping.location, output));
  const bound = new Set([...Object.keys(mapping.responseHeaders), ...Object.keys(mapping.setCookies)]);
  for (const [field, name] of Object.entries(mapping.responseHeaders)) {
    for (const text of textsOf(operation, output, field)) {
      if (!isFieldValue(text)) throw misfit(operation, field, `cannot be the header "${name}"`);
      headers.append(name, text);
    }
  }
  for (const [field, cookie] of Object.entries(mapping.setCookies)) {
    for (const text of textsOf(operation, output, field))
      headers.append('set-cookie', formatSetCookie({ ...cookie, value: encodeURIComponent(text) }));
  }
  return bodyOnly(mapping, headers, without(output, bound));
}

/** Nothing of the output travels outside of the body: so it is with most operations. */
function isAllBody({ location, responseHeaders, setCookies }: HttpMapping): boolean {
  if (location !== undefined) return false;
  for (const _field in responseHeaders) return false;
  for (const _field in setCookies) return false;
  return true;
}

function bodyOnly({ status }: HttpMapping, headers: HttpHeaders, output: unknown): HttpResponse {
  if (output === undefined) return { status, headers, body: undefined };
  headers.set('content-type', 'application/json');
  return { status, headers, body: utf8.encode(JSON.stringify(output)) };
}

function locationOf(operation: string, location: string, output: unknown): string {
  const template = parseTemplate(location); // the contract was checked when it was made
  let last = '';
  const path =
    typeof template === 'string'
      ? undefined
      : fillTemplate(template, (field) => {
          last = field;
          const texts = textsOf(operation, output, field);
          return texts.length === 1 ? texts[0] : undefined;
        });
  if (path === undefined) throw misfit(operation, last, `does not fit into the location "${location}"`);
  return path;
}

function textsOf(operation: string, output: unknown, field: string): readonly string[] {
  const value = isObject(output) && Object.hasOwn(output, field) ? output[field] : undefined;
  const texts = value === null ? [] : formatTexts(value, undefined);
  if (!texts) throw misfit(operation, field, 'is no text');
  return texts;
}

function without(output: unknown, fields: ReadonlySet<string>): unknown {
  if (fields.size === 0 || !isObject(output)) return output;
  return Object.fromEntries(Object.entries(output).filter(([field]) => !fields.has(field)));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function misfit(operation: string, field: string, what: string): FlotillaError {
  return new FlotillaError('INTERNAL', `field "${field}" of the output of ${operation} ${what}`);
}
