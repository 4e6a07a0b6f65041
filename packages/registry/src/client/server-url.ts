import { FlotillaError, formatHostPort, Secret } from '@flotilla/core';
import { type HttpTarget, pathFromText } from '@flotilla/http';

/** A registry, as its url names it. */
export interface ServerAddress {
  /** The url without credentials: for logs. */
  readonly label: string;
  readonly target: HttpTarget;
  readonly authority: string;
  /** Segments before `/v1`, for a registry behind a proxy. */
  readonly prefix: readonly string[];
  /** The field `authorization`. */
  readonly authorization?: Secret;
}

const defaultPorts = Object.freeze({ http: 80, https: 443 });

/** @throws FlotillaError CONFIG_INVALID without repeating what may be a password */
export function parseServerUrl(text: string): ServerAddress {
  const url = URL.parse(text);
  const protocol = url?.protocol === 'http:' ? 'http' : url?.protocol === 'https:' ? 'https' : undefined;
  if (!url || !protocol || url.search !== '' || url.hash !== '') {
    const shown = text.replace(/\/\/[^/]*@/, '//…@').slice(0, 200);
    throw new FlotillaError(
      'CONFIG_INVALID',
      `"${shown}" is not the url of a registry: write http://host:8761, with user:password@ before the host if it has users`,
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? defaultPorts[protocol] : Number(url.port);
  const authority = formatHostPort({ host, port });
  const prefix = pathFromText(url.pathname).segments.filter((segment) => segment !== '');
  const label = `${protocol}://${authority}${prefix.length > 0 ? `/${prefix.join('/')}` : ''}`;
  const credentials = credentialsOf(url);
  return {
    label,
    target: { protocol, host, port },
    authority,
    prefix,
    ...(credentials ? { authorization: credentials } : undefined),
  };
}

function credentialsOf({ username, password }: URL): Secret | undefined {
  if (username === '' && password === '') return undefined;
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return new Secret(`Basic ${Buffer.from(text).toString('base64')}`);
}
