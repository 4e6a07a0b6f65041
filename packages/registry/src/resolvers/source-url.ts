import { FlotillaError, formatHostPort, nearest, Secret } from '@flotilla/core';
import { type HttpTarget, pathFromText } from '@flotilla/http';

/** The text of a source's URL, taken apart at its scheme and its question mark. */
export interface SourceUrl {
  /** Between the scheme's colon and `?`, percent-encoding untouched. */
  readonly rest: string;
  readonly params: ReadonlyMap<string, string>;
}

/** A server that speaks HTTP, as a source's URL names it. */
export interface HttpSourceUrl {
  /** Without credentials and parameters: for logs. */
  readonly label: string;
  readonly target: HttpTarget;
  readonly authority: string;
  /** Segments before those of the API, for a server behind a proxy. */
  readonly prefix: readonly string[];
  /** The user and password in the URL. */
  readonly user?: { readonly name: string; readonly password: Secret };
  readonly params: ReadonlyMap<string, string>;
}

const defaultPorts = Object.freeze({ http: 80, https: 443 });

/**
 * @param known the parameters that mean something.
 * @throws FlotillaError CONFIG_INVALID naming a parameter that is unknown or stands twice; values are not repeated, since
 *   one may be a token.
 */
export function splitSourceUrl(text: string, known: readonly string[]): SourceUrl {
  const [place = '', query = ''] = splitAt(text, '?');
  const [scheme = '', rest = ''] = splitAt(place, ':');
  const params = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!known.includes(name)) throw unknownParameter(scheme, name, known);
    if (params.has(name)) throw invalid(`the parameter "${name}" stands twice in a url "${scheme}:…"`);
    params.set(name, value);
  }
  return { rest, params };
}

/**
 * Reads `SCHEME+http://user:password@host:port/prefix?name=value`.
 * @throws FlotillaError CONFIG_INVALID without repeating what may be a password
 */
export function readHttpSourceUrl(text: string, example: string, known: readonly string[]): HttpSourceUrl {
  const { params } = splitSourceUrl(text, known);
  const [place = ''] = splitAt(text, '?');
  const url = URL.parse(place.replace(/^[a-z]+\+/i, ''));
  const protocol = url?.protocol === 'http:' ? 'http' : url?.protocol === 'https:' ? 'https' : undefined;
  if (!url || !protocol || url.hostname === '' || url.hash !== '') {
    throw invalid(`"${place.slice(place.lastIndexOf('@') + 1).slice(0, 200)}" is no such url; write ${example}`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? defaultPorts[protocol] : Number(url.port);
  const authority = formatHostPort({ host, port });
  return {
    label: `${protocol}://${authority}${url.pathname === '/' ? '' : url.pathname}`,
    target: { protocol, host, port },
    authority,
    prefix: pathFromText(url.pathname).segments.filter((segment) => segment !== ''),
    ...userOf(url),
    params,
  };
}

/** @throws FlotillaError CONFIG_INVALID unless the parameter is absent or a whole number within the bounds. */
export function wholeNumberParam(
  params: ReadonlyMap<string, string>,
  name: string,
  [least, most]: readonly [number, number],
): number | undefined {
  const text = params.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= least && value <= most) return value;
  throw invalid(`the parameter "${name}" must be a whole number from ${least} to ${most}, got "${text.slice(0, 40)}"`);
}

/** @throws FlotillaError CONFIG_INVALID unless the parameter is absent or one of `values`. */
export function choiceParam<Value extends string>(
  params: ReadonlyMap<string, string>,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const text = params.get(name);
  const value = values.find((candidate) => candidate === text);
  if (text === undefined || value !== undefined) return value;
  throw invalid(`the parameter "${name}" must be one of ${values.join(', ')}, got "${text.slice(0, 40)}"`);
}

/** The one URL of a source that takes no more. @throws FlotillaError CONFIG_INVALID */
export function onlyUrl(urls: readonly string[], scheme: string): string {
  const [url, ...others] = urls;
  if (url === undefined || others.length > 0) {
    throw invalid(`"${scheme}:…" takes exactly one url, got ${urls.length}`);
  }
  return url;
}

/** The field `authorization` of a URL's user. */
export function basicAuthorization({ name, password }: NonNullable<HttpSourceUrl['user']>): string {
  return `Basic ${Buffer.from(`${name}:${password.reveal()}`).toString('base64')}`;
}

/** @throws FlotillaError CONFIG_INVALID */
export function userOf({ username, password }: URL): Pick<HttpSourceUrl, 'user'> {
  if (username === '' && password === '') return {};
  try {
    return { user: { name: decodeURIComponent(username), password: new Secret(decodeURIComponent(password)) } };
  } catch {
    throw invalid('user or password in a url cannot be read: a percent sign in them is written %25');
  }
}

function unknownParameter(scheme: string, name: string, known: readonly string[]): FlotillaError {
  const near = nearest(name, known);
  const hint = near === undefined ? `known: ${known.join(', ') || 'none'}` : `did you mean "${near}"?`;
  return invalid(`a url "${scheme}:…" has no parameter "${name.slice(0, 80)}"; ${hint}`);
}

function splitAt(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function invalid(detail: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `registry: ${detail}`);
}
