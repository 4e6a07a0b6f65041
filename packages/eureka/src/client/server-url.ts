import { FlotillaError, formatHostPort, nearest, Secret } from '@flotilla/core';
import { type HttpTarget, pathFromText } from '@flotilla/http';

/** A Eureka server, as its url names it. */
export interface EurekaAddress {
  /** The url without credentials: for logs. */
  readonly label: string;
  /** `https://host:443`: what a redirection is compared with. */
  readonly origin: string;
  readonly target: HttpTarget;
  readonly authority: string;
  /** Segments before `apps`. */
  readonly prefix: readonly string[];
  /** Where the server runs. */
  readonly zone?: string;
  readonly user?: string;
  /** The field `authorization`. */
  readonly authorization?: Secret;
}

/** What urls can say of the client as a whole. */
export interface UrlSettings {
  readonly pollEveryMs?: number;
  readonly compact?: boolean;
}

const defaultPorts = Object.freeze({ http: 80, https: 443 });
const parameters: readonly string[] = Object.freeze(['zone', 'pollEveryMs', 'compact']);

/**
 * Reads `http://user:password@host:8761/eureka?zone=a`; user and password are percent-decoded. Without a path it is
 * `/eureka`, as with Java's clients. `zone` is the server's; `pollEveryMs` and `compact` are read by {@link settingsIn}.
 * @throws FlotillaError CONFIG_INVALID without repeating what may be a password
 */
export function parseEurekaUrl(text: string): EurekaAddress {
  const url = readUrl(text);
  const protocol = url.protocol === 'https:' ? 'https' : 'http';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? defaultPorts[protocol] : Number(url.port);
  const authority = formatHostPort({ host, port });
  const given = pathFromText(url.pathname).segments.filter((segment) => segment !== '');
  const prefix = given.length > 0 ? given : ['eureka'];
  const origin = `${protocol}://${authority}`;
  const label = [origin, ...prefix].join('/');
  const zone = url.searchParams.get('zone');
  return {
    label,
    origin,
    target: { protocol, host, port },
    authority,
    prefix,
    ...(zone ? { zone } : undefined),
    ...credentialsOf(url, label),
  };
}

/** What the urls say of the client: the first one that says it counts. @throws FlotillaError CONFIG_INVALID */
export function settingsIn(urls: readonly string[]): UrlSettings {
  const named = urls.map((text) => readUrl(text).searchParams);
  const first = (name: string): string | undefined =>
    named.map((query) => query.get(name)).find((value) => value !== null) ?? undefined;
  const poll = first('pollEveryMs');
  const compact = first('compact');
  if (poll !== undefined && !/^[1-9][0-9]{0,8}$/.test(poll)) {
    throw invalid(`pollEveryMs in a Eureka url must be a whole number of milliseconds, got "${poll.slice(0, 40)}"`);
  }
  if (compact !== undefined && compact !== 'true' && compact !== 'false') {
    throw invalid(`compact in a Eureka url must be true or false, got "${compact.slice(0, 40)}"`);
  }
  return {
    ...(poll === undefined ? undefined : { pollEveryMs: Number(poll) }),
    ...(compact === undefined ? undefined : { compact: compact === 'true' }),
  };
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hash !== '') {
    throw invalid(
      `"${withoutCredentials(text)}" is not the url of a Eureka server: write eureka+http://host:8761/eureka, with ` +
        'user:password@ before the host if it has users, and : / ? # [ ] @ , % in them percent-encoded',
    );
  }
  for (const name of url.searchParams.keys()) {
    if (parameters.includes(name)) continue;
    const meant = nearest(name, parameters);
    throw invalid(
      `the url of a Eureka server has no parameter "${name.slice(0, 40)}"; ` +
        (meant ? `did you mean "${meant}"?` : `known: ${parameters.join(', ')}`),
    );
  }
  return url;
}

function credentialsOf({ username, password }: URL, label: string): Pick<EurekaAddress, 'user' | 'authorization'> {
  if (username === '' && password === '') return {};
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === undefined || secret === undefined || user.includes(':')) {
    const reason = user?.includes(':') ? 'a user name has no colon' : 'a percent sign in them is written %25';
    throw invalid(`the credentials for the Eureka server ${label} cannot be used: ${reason}`);
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

function invalid(detail: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', detail);
}
