import type { Filter } from '@flotilla/core';
import type { HttpHeaders, HttpRequest, HttpResponse } from '@flotilla/http';
import { type SameOriginOptions, secureCookies } from './same-origin.ts';

/** Which cookies, and where the pages are. */
export interface HostCookiesOptions extends SameOriginOptions {
  /** Their plain names, as contracts name them. They have the path `/`, which is the default. */
  readonly cookies: readonly string[];
}

/** Only this very host can set such a cookie, over TLS, for all of its paths (RFC 6265bis §4.1.3). */
const prefix = '__Host-';

/**
 * A filter that lets contracts name a cookie once, and browsers keep it as safely as they can where the pages are served.
 *
 * | | in public, over TLS | on loopback, without `publicUrl` |
 * |---|---|---|
 * | `set-cookie: session=…` | becomes `__Host-session=…`, `Secure` | loses `Secure`: not every browser keeps it over plain HTTP |
 * | `cookie: __Host-session=…` | is read as `session` | is taken off |
 * | `cookie: session=…` | is taken off: any host of the domain can have set it | is read |
 *
 * Configuration decides, never a request. Cookies that are not named pass as they are.
 *
 * @throws FlotillaError CONFIG_INVALID as `sameOrigin` does
 */
export function hostCookies(options: HostCookiesOptions): Filter<HttpRequest, HttpResponse> {
  const secure = secureCookies(options);
  const named = new Set(options.cookies);
  return (next) => async (request, call) => {
    const response = await next(request.headers.has('cookie') ? rewritten(request, named, secure) : request, call);
    rewrite(response.headers, 'set-cookie', (field) => (named.has(nameOf(field)) ? kept(field, secure) : field));
    return response;
  };
}

function rewritten(request: HttpRequest, named: ReadonlySet<string>, secure: boolean): HttpRequest {
  const headers = request.headers.copy();
  rewrite(headers, 'cookie', (field) => readable(field, named, secure));
  return { ...request, headers };
}

/** Puts other texts in the place of a field's; what becomes empty goes. */
function rewrite(headers: HttpHeaders, name: string, change: (field: string) => string): void {
  const fields = headers.getAll(name);
  if (fields.length === 0) return;
  headers.delete(name);
  for (const field of fields) {
    const changed = change(field);
    if (changed !== '') headers.append(name, changed);
  }
}

/** The pairs of a request's field that count here, under their plain names. */
function readable(field: string, named: ReadonlySet<string>, secure: boolean): string {
  const pairs = field.split(';').map((pair) => pair.trim());
  return pairs
    .flatMap((pair) => {
      const name = nameOf(pair);
      const plain = name.startsWith(prefix) ? name.slice(prefix.length) : name;
      if (!named.has(plain)) return pair;
      if (secure !== (name !== plain)) return [];
      return secure ? pair.slice(prefix.length) : pair;
    })
    .join('; ');
}

function kept(field: string, secure: boolean): string {
  const attribute = /; *Secure(?=;|$)/i;
  if (!secure) return field.replace(attribute, '');
  return `${prefix}${field}${attribute.test(field) ? '' : '; Secure'}`;
}

function nameOf(pair: string): string {
  return pair.slice(0, Math.max(0, pair.indexOf('='))).trim();
}
