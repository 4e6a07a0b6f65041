import { isToken } from './field-grammar.ts';

/** A cookie to set. Its defaults are the careful ones. */
export interface SetCookie {
  /** A token. `__Host-` and `__Secure-` keep their promises (RFC 6265bis §4.1.3). */
  readonly name: string;
  /** Visible ASCII without `"`, `,`, `;`, `\`: encode whatever else before. */
  readonly value: string;
  /** Hidden from scripts. Default true. */
  readonly httpOnly?: boolean;
  /** Only over TLS (and to loopback, in browsers). Default true. */
  readonly secure?: boolean;
  /** Whether requests that other sites cause carry it. Default `lax`. `none` needs `secure`. */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /** Default `/`. */
  readonly path?: string;
  /** Whole seconds; 0 removes the cookie. Absent: until the browser is closed. */
  readonly maxAgeSeconds?: number;
}

/** RFC 6265bis §5.6: browsers drop a cookie whose name and value are longer. */
const longestCookie = 4_096;

/** RFC 6265bis §5.5: what a longer age is cut to. */
const longestAgeSeconds = 400 * 24 * 60 * 60;

const valuePattern = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
const pathPattern = /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/;

/**
 * Reads the field `cookie`. Pairs that are not well formed are passed over. Of pairs with one name the first counts:
 * browsers send the one with the more exact path first. Values are not decoded; quotes around one are taken off.
 */
export function parseCookies(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, equals)).trim();
    const value = withoutQuotes(pair.slice(equals + 1).trim());
    if (isToken(name) && valuePattern.test(value) && !cookies.has(name)) cookies.set(name, value);
  }
  return cookies;
}

/**
 * Writes the field `set-cookie`.
 * @throws RangeError for what no cookie can hold, and for combinations that browsers refuse
 */
export function formatSetCookie(cookie: SetCookie): string {
  const { name, value, httpOnly = true, secure = true, sameSite = 'lax', path = '/', maxAgeSeconds } = cookie;
  if (!isToken(name)) throw refused(name, 'its name is not a token');
  if (!valuePattern.test(value)) throw refused(name, 'its value has characters that have to be encoded');
  if (name.length + value.length > longestCookie) throw refused(name, `it is longer than ${longestCookie} characters`);
  if (!pathPattern.test(path)) throw refused(name, `its path ${JSON.stringify(path)} is none`);
  if (!secure && sameSite === 'none') throw refused(name, 'sameSite: none needs secure');
  if (!secure && /^__(?:secure|host)-/i.test(name)) throw refused(name, 'its name promises secure');
  if (path !== '/' && /^__host-/i.test(name)) throw refused(name, 'its name promises the path "/"');
  let text = `${name}=${value}; Path=${path}; SameSite=${sameSiteText[sameSite]}`;
  if (maxAgeSeconds !== undefined) text += `; Max-Age=${wholeSeconds(name, maxAgeSeconds)}`;
  if (secure) text += '; Secure';
  if (httpOnly) text += '; HttpOnly';
  return text;
}

const sameSiteText = Object.freeze({ strict: 'Strict', lax: 'Lax', none: 'None' });

function withoutQuotes(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

function wholeSeconds(name: string, seconds: number): number {
  if (Number.isSafeInteger(seconds) && seconds >= 0) return Math.min(seconds, longestAgeSeconds);
  throw refused(name, `maxAgeSeconds is a whole number from 0 on, got ${seconds}`);
}

/** The value may be a secret: it is never in the message. */
function refused(name: string, what: string): RangeError {
  return new RangeError(`the cookie ${JSON.stringify(name.slice(0, 80))} cannot be set: ${what}`);
}
