import { FlotillaError, formatHostPort, Secret } from '@flotilla/core';
import { type HttpTarget, pathFromSegments } from '@flotilla/http';

/** Where a peer is. */
export interface PeerAddress {
  /** The URL without credentials: its name in logs, metrics and answers. */
  readonly url: string;
  readonly target: HttpTarget;
  readonly authority: string;
  /** Segments before `apps` and `peerreplication`. */
  readonly prefix: readonly string[];
  /** The field `authorization`. */
  readonly authorization?: Secret;
}

const defaultPorts = Object.freeze({ http: 80, https: 443 });

/**
 * Reads a URL as it stands in Eureka's `defaultZone`: `http://user:password@host:8761/eureka/`. Without a path `/eureka`
 * is meant. User and password are percent-decoded.
 * @throws FlotillaError CONFIG_INVALID without repeating what may be a password
 */
export function readPeerUrl(text: string): PeerAddress {
  const url = URL.parse(text);
  const protocol = url?.protocol === 'http:' ? 'http' : url?.protocol === 'https:' ? 'https' : undefined;
  if (!url || !protocol || url.search !== '' || url.hash !== '') {
    const shown = text.slice(text.lastIndexOf('@') + 1).slice(0, 200);
    throw new FlotillaError(
      'CONFIG_INVALID',
      `"${shown}" is not the url of a peer: write http://host:8761/eureka/, with user:password@ before the host if it has users`,
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? defaultPorts[protocol] : Number(url.port);
  const authority = formatHostPort({ host, port });
  const given = url.pathname.split('/').filter((segment) => segment !== '');
  const prefix = given.length === 0 ? ['eureka'] : given;
  const authorization = basicOf(url, authority);
  return {
    url: `${protocol}://${authority}${pathFromSegments([...prefix, '']).text}`,
    target: { protocol, host, port },
    authority,
    prefix,
    ...(authorization ? { authorization } : undefined),
  };
}

/** Peers without double ones, and without ourselves. @throws FlotillaError CONFIG_INVALID */
export function readPeerUrls(urls: readonly string[], myUrl: string | undefined): PeerAddress[] {
  const mine = myUrl === undefined ? undefined : readPeerUrl(myUrl).authority;
  const byPlace = new Map(urls.map(readPeerUrl).map((address) => [address.authority, address]));
  return [...byPlace.values()].filter(({ authority }) => authority !== mine);
}

function basicOf({ username, password }: URL, authority: string): Secret | undefined {
  if (username === '' && password === '') return undefined;
  try {
    const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return new Secret(`Basic ${Buffer.from(text).toString('base64')}`);
  } catch (cause) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      `the credentials for the peer ${authority} cannot be used: a percent sign in them is written %25`,
      { cause },
    );
  }
}
