import type { HttpBinding, SetCookie } from './http-binding.ts';
import { parametersOf, parseTemplate } from './path-template.ts';
import type { Report } from './report.ts';

/** Where one input field travels, other than in the body. */
export type FieldPlace =
  | { readonly in: 'path' | 'query' }
  /** `name` in lower case for headers. */
  | { readonly in: 'header' | 'cookie'; readonly name: string };

/** Where each input field travels that a binding names: one place each. */
export function placeFields(binding: HttpBinding, hasBody: boolean, report: Report): Record<string, FieldPlace> {
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
    checkCookieName(cookie, report);
    place(field, { in: 'cookie', name: cookie });
  }
  return places;
}

/** @returns the name in lower case. */
export function checkHeader(header: string, report: Report): string {
  const name = header.toLowerCase();
  if (!tokenPattern.test(name)) report(`header "${header}" is not a token (RFC 9110 §5.1)`);
  else if (ownedHeader.test(name)) report(`header "${header}" belongs to the transport; choose another name`);
  return name;
}

export function checkCookieName(name: string, report: Report): void {
  if (!tokenPattern.test(name)) report(`cookie "${name}" is not a token (RFC 6265 §4.1.1)`);
}

/** What browsers refuse, or would read as something else. */
export function checkSetCookie(cookie: SetCookie, report: Report): void {
  const { name, secure = true, sameSite = 'lax', path = '/', maxAgeSeconds = 0 } = cookie;
  checkCookieName(name, report);
  if (!secure && sameSite === 'none') report(`cookie "${name}": sameSite "none" needs secure`);
  if (!secure && /^__(?:secure|host)-/i.test(name)) report(`cookie "${name}": its name promises secure`);
  if (path !== '/' && /^__host-/i.test(name)) report(`cookie "${name}": its name promises the path "/"`);
  if (!/^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/.test(path)) report(`cookie "${name}": "${path}" is no path`);
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 0) {
    report(`cookie "${name}": maxAgeSeconds is a whole number from 0 on, got ${maxAgeSeconds}`);
  }
}

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;

// Fields that the transport, the framing or the call's context own.
const ownedHeader =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|cookie|set-cookie|traceparent|tracestate|baggage|priority|idempotency-key|grpc-timeout|connect-timeout-ms|flotilla-.*|accept|allow|date)$/;
