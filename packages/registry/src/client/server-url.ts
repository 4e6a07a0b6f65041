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
  /** Whom its credentials name. */
  readonly user?: string;
  /** The field `authorization`. */
  readonly authorization?: Secret;
}

const defaultPorts = Object.freeze({ http: 80, https: 443 });

/** Where Eureka's clients are pointed at: a URL copied from one means the registry itself. */
const eurekaSuffix = /\/eureka(?:\/v2)?\/?$/;

/**
 * Reads `http://user:password@host:8761`; user and password are percent-decoded. A path `/eureka` or `/eureka/v2` at the
 * end, as in Eureka's `defaultZone`, is left out.
 * @throws FlotillaError CONFIG_INVALID without repeating what may be a password
 */
export function parseServerUrl(text: string): ServerAddress {
  const url = URL.parse(text);
  const protocol = url?.protocol === 'http:' ? 'http' : url?.protocol === 'https:' ? 'https' : undefined;
  if (!url || !protocol || url.search !== '' || url.hash !== '') {
    throw new FlotillaError(
      'CONFIG_INVALID',
      `"${withoutCredentials(text)}" is not the url of a registry: write http://host:8761, with user:password@ before the ` +
        'host if it has users, and : / ? # [ ] @ , % in them percent-encoded',
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? defaultPorts[protocol] : Number(url.port);
  const authority = formatHostPort({ host, port });
  const prefix = pathFromText(url.pathname.replace(eurekaSuffix, '/')).segments.filter((segment) => segment !== '');
  const label = `${protocol}://${authority}${prefix.length > 0 ? `/${prefix.join('/')}` : ''}`;
  return { label, target: { protocol, host, port }, authority, prefix, ...credentialsOf(url, label) };
}

function credentialsOf({ username, password }: URL, label: string): Pick<ServerAddress, 'user' | 'authorization'> {
  if (username === '' && password === '') return {};
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === undefined || secret === undefined || user.includes(':')) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      `the credentials for the registry ${label} cannot be used: ${
        user?.includes(':') ? 'a user name has no colon' : 'a percent sign in them is written %25'
      }`,
    );
  }
  return { user, authorization: new Secret(`Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`) };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Whatever stands before the last `@` may be a password, also where it makes the text no url. */
function withoutCredentials(text: string): string {
  const end = text.lastIndexOf('@');
  return (end < 0 ? text : `…${text.slice(end)}`).slice(0, 200);
}
