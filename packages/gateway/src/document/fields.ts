import { isFieldName, isFieldValue } from '@flotilla/http';
import type { Field } from '../route-document.ts';
import { shown, type Value } from './value.ts';

/** Header fields of the connection, of the framing, of the call's context and of the gateway: no filter may touch them. */
const reserved: ReadonlySet<string> = new Set([
  'baggage',
  'connection',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/** Is it a field that only the gateway itself may write? @param name in lower case. */
export function isReserved(name: string): boolean {
  return reserved.has(name) || name.startsWith('x-forwarded-') || name.startsWith('flotilla-');
}

/** Header fields to write: `{ x-a: text }`. Names come back in lower case. */
export function readHeaderFields(value: Value): readonly Field[] {
  const fields = new Map<string, string>();
  for (const [key, item] of value.entries() ?? []) {
    const name = headerName(key, item);
    const text = item.text();
    if (name === undefined || text === undefined) continue;
    if (!isFieldValue(text)) item.mistake(`"${shown(text)}" cannot be the value of a header field`);
    else if (fields.has(name)) item.mistake(`"${name}" is written twice; names differ in more than their case`);
    else fields.set(name, text);
  }
  return [...fields];
}

/** Names of header fields to remove, in lower case. */
export function readHeaderNames(value: Value): readonly string[] {
  return (value.texts() ?? []).flatMap(([text, item]) => headerName(text, item) ?? []);
}

/** Fields that a request must have: `{ x-beta: "1", x-any: "*" }`. Any name may be asked for. */
export function readHeaderPredicates(value: Value): readonly Field[] {
  return (value.entries() ?? []).flatMap(([key, item]) => {
    const text = item.text();
    if (!isFieldName(key.toLowerCase())) return item.mistake(`"${shown(key)}" is not a header name`) ?? [];
    if (text !== undefined && !isFieldValue(text)) {
      return item.mistake(`"${shown(text)}" is never the value of a header field`) ?? [];
    }
    return text === undefined ? [] : [[key.toLowerCase(), text] as const];
  });
}

/** Query parameters that a request must have: `{ preview: "*" }`. */
export function readQueryPredicates(value: Value): readonly Field[] {
  return (value.entries() ?? []).flatMap(([key, item]) => {
    const text = item.text();
    if (key === '') return item.mistake('a query parameter has a name') ?? [];
    return text === undefined ? [] : [[key, text] as const];
  });
}

function headerName(text: string, item: Value): string | undefined {
  const name = text.toLowerCase();
  if (!isFieldName(name)) return item.mistake(`"${shown(text)}" is not a header name`);
  if (isReserved(name)) return item.mistake(`"${name}" is written by the gateway alone; a filter cannot touch it`);
  return name;
}
