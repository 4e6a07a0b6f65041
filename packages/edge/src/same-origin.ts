import { type Filter, FlotillaError } from '@flotilla/core';
import { type HttpRequest, type HttpResponse, isLoopback } from '@flotilla/http';

/** Where browsers find the pages of an edge service. */
export interface SameOriginOptions {
  /**
   * Origin of the pages as people type it: `https://shop.example`. Default: none, and then only loopback counts, so that
   * development needs no configuration and nothing else works by chance.
   */
  readonly publicUrl?: string | undefined;
}

/**
 * A filter that refuses what another site's page made a browser send (CSRF). It looks at requests that may change
 * something: everything but GET, HEAD and OPTIONS. Beside it, session cookies are `SameSite`.
 *
 * | request | passes when |
 * |---|---|
 * | with `origin` | it is the public origin; without `publicUrl`: when it is the host that the client named, on loopback |
 * | without, but with `sec-fetch-site` | that is `same-origin`, or `none`: typed or bookmarked by a person |
 * | with neither | always: no browser sends it, so it carries nobody's cookies against their will |
 *
 * Without `publicUrl`, requests for a host that is not loopback are refused in any case. The host is what a gateway says
 * in `x-forwarded-host`, else what the request names: a page of another site can set neither.
 * Sources: Fetch Standard, "Origin header"; Fetch Metadata Request Headers, W3C.
 *
 * @throws FlotillaError CONFIG_INVALID for a `publicUrl` that is more than an origin, or `http` off loopback, where
 *   session cookies could be read on the way. Each refused request gets FORBIDDEN.
 */
export function sameOrigin(options: SameOriginOptions = {}): Filter<HttpRequest, HttpResponse> {
  const origin = publicOrigin(options.publicUrl);
  return (next) => async (request, call) => {
    if (safeMethods.has(request.method)) return next(request, call);
    const refusal = refusalOf(request, origin);
    if (refusal !== undefined) throw new FlotillaError('FORBIDDEN', refusal);
    return next(request, call);
  };
}

/**
 * Whether session cookies can be `Secure`: where pages are public they are served over TLS and so they must; without
 * `publicUrl` the service answers changing requests on loopback only, where plain HTTP is what there is.
 */
export function secureCookies({ publicUrl }: SameOriginOptions): boolean {
  return publicOrigin(publicUrl)?.startsWith('https:') ?? false;
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function publicOrigin(publicUrl: string | undefined): string | undefined {
  if (publicUrl === undefined) return undefined;
  const refused = (why: string): FlotillaError =>
    new FlotillaError('CONFIG_INVALID', `publicUrl ${JSON.stringify(publicUrl)} ${why}`);
  if (!URL.canParse(publicUrl)) throw refused('is no URL');
  const { origin, protocol, hostname, pathname, search, username, hash } = new URL(publicUrl);
  if (protocol !== 'https:' && protocol !== 'http:') throw refused('must begin with "https://"');
  if (pathname !== '/' || search || username || hash) throw refused('must be an origin: scheme, host and port alone');
  if (protocol === 'http:' && !isLoopback(hostname)) throw refused('must begin with "https://": others can reach it');
  return origin;
}

function refusalOf(request: HttpRequest, publicOrigin: string | undefined): string | undefined {
  const { headers } = request;
  const authority = publicOrigin === undefined ? namedAuthority(request) : undefined;
  if (authority !== undefined && !isLoopback(withoutPort(authority)))
    return `changes are taken on loopback only until publicUrl is set; this request is for "${authority}"`;
  const [origin, ...more] = headers.getAll('origin');
  const site = headers.get('sec-fetch-site');
  if (origin === undefined)
    return site === undefined || site === 'same-origin' || site === 'none' ? undefined : 'another site sent this';
  const own = publicOrigin === undefined ? [`http://${authority}`, `https://${authority}`] : [publicOrigin];
  return more.length === 0 && own.includes(origin)
    ? undefined
    : `a page of "${origin.slice(0, 200)}" may not send this`;
}

/** Host and port as the client named them. A gateway says it once, for whoever stands behind it. */
function namedAuthority({ headers, authority }: HttpRequest): string {
  return (headers.get('x-forwarded-host') ?? authority).toLowerCase();
}

function withoutPort(authority: string): string {
  return authority.replace(/:[0-9]{1,5}$/, '');
}
