import { FlotillaError, isHost, isProtocol } from '@flotilla/core';

/** The parts of `protocol://[user[:password]@]host[:port]/path?name=value&…` (Dubbo, `URL`). */
export interface UrlParts {
  readonly protocol: string;
  /** `user` or `user:password`; empty when there is none. */
  readonly userInfo: string;
  /** IPv6 without brackets. */
  readonly host: string;
  /** 0: the text names none. */
  readonly port: number;
  /** Without the first slash. */
  readonly path: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** What one URL may hold: a Java interface with a thousand configured methods fits. */
export const urlLimits: { readonly length: number; readonly parameters: number } = Object.freeze({
  length: 65_536,
  parameters: 1_024,
});

/**
 * Takes a URL's text apart as `URLStrParser#parseDecodedStr` does: nothing in it is percent-encoded, a parameter ends
 * at `&` or `;`, its name ends at the first `=`, the last of one name wins, and one without a value is dropped.
 * @throws FlotillaError MALFORMED_REQUEST saying which part cannot be read.
 */
export function parseUrl(text: string): UrlParts {
  if (text.length > urlLimits.length) throw malformed(text, `is ${text.length} long; the limit is ${urlLimits.length}`);
  const question = text.indexOf('?');
  const body = question < 0 ? text : text.slice(0, question);
  const [, protocol = '', authority = '', path = ''] = /^([^:/]*):\/\/([^/]*)(?:\/(.*))?$/s.exec(body) ?? [];
  if (!isProtocol(protocol)) throw malformed(text, 'does not begin with a protocol');
  const at = authority.lastIndexOf('@');
  const { host, port } = splitHostPort(authority.slice(at + 1));
  if (!isHost(host)) throw malformed(text, 'names no host');
  if (!(port >= 0 && port <= 65_535)) throw malformed(text, 'has no port from 0 to 65535');
  const parameters = question < 0 ? new Map<string, string>() : parseParameters(text, question + 1);
  return { protocol, userInfo: authority.slice(0, Math.max(at, 0)), host, port, path, parameters };
}

/** The text of a URL, as `URL#toFullString` prints it for a registry: parameters sorted by the names' code units. */
export function formatUrl({ protocol, userInfo, host, port, path, parameters }: UrlParts): string {
  const sorted = [...parameters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `${name}=${text}`);
  return [
    `${protocol}://`,
    userInfo === '' ? '' : `${userInfo}@`,
    port === 0 && host.includes(':') ? `[${host}]` : host, // else its last group would be read as a port
    port === 0 ? '' : `:${port}`,
    path === '' ? '' : `/${path}`,
    sorted.length === 0 ? '' : `?${sorted.join('&')}`,
  ].join('');
}

/** Whether a parameter's name or value comes through {@link formatUrl} and a Java parser unchanged. */
export function isPlain(text: string): boolean {
  return text !== '' && text.isWellFormed() && !/[&;=\p{Cc}]|^ | $/u.test(text);
}

/** Java writes IPv6 without brackets: the last colon is the port's, unless a scope id (`%eth0`) follows it. */
function splitHostPort(authority: string): { readonly host: string; readonly port: number } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(authority);
  if (bracketed) return { host: bracketed[1] ?? '', port: Number(bracketed[2] ?? 0) };
  const colon = authority.lastIndexOf(':');
  if (colon < 0 || authority.lastIndexOf('%') > colon) return { host: authority, port: 0 };
  const digits = authority.slice(colon + 1);
  return { host: authority.slice(0, colon), port: /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN };
}

function parseParameters(text: string, from: number): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of text.slice(from).split(/[&;]/)) {
    const [, name, value] = /^=*([^=]+)=(.+)$/s.exec(part) ?? [];
    if (name === undefined || value === undefined) continue;
    parameters.set(name, value);
    if (parameters.size > urlLimits.parameters) {
      throw malformed(text, `has more than ${urlLimits.parameters} parameters`);
    }
  }
  return parameters;
}

function malformed(text: string, what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the URL "${text.slice(0, 80)}" ${what}`);
}
