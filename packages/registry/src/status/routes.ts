import { type HttpHandler, HttpHeaders, type HttpResponse, type RouteSpec } from '@flotilla/http';
import { momentOf } from '../lease/moment.ts';
import { type GuardedHandler, type GuardedRequest, guard } from '../server/guard.ts';
import type { PeerState } from '../server/peer-state.ts';
import type { Registry } from '../server/registry.ts';
import { jsonResponse } from '../server/request-parts.ts';
import { accessOf, type RegistryServerOptions } from '../server/routes.ts';
import { assertNameOfThisMachine } from '../server/this-machine.ts';
import { pageScript } from './engines/browser-script.ts';
import { statusJson } from './json.ts';
import { LivePages } from './live.ts';
import { type Beside, type Overview, overviewOf } from './overview.ts';
import { statusPage } from './page.ts';
import { readStatusQuery } from './query.ts';
import { pageIcon, pageStyle } from './style.ts';

/** Nothing but the page's own files; nobody else's page around it. */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What {@link statusRoutes} shows, and to whom. */
export interface StatusOptions extends RegistryServerOptions {
  /** The registries that this one replicates with, as they are now. Default: none. */
  readonly peers?: () => readonly PeerState[];
}

/**
 * The status page of a registry, on the registry's own port: whoever may read the registry may read it.
 *
 * | request | answer |
 * |---|---|
 * | `GET /?q=&service=&status=&page=` | the page |
 * | `GET /status/live?…` | server-sent events `view`: the parts of it that changed |
 * | `GET /v1/status?…` | the same as JSON |
 * | `GET /status/page.css`, `page.js`, `icon.svg` | what the page consists of |
 *
 * Without users it answers only to names of this machine: see {@link assertNameOfThisMachine}.
 */
export function statusRoutes(registry: Registry, options: StatusOptions = {}): RouteSpec<HttpHandler>[] {
  const access = accessOf(options);
  const beside = (): Beside => ({
    peers: options.peers?.() ?? [],
    unreachable: options.dialBack?.problems ?? [],
  });
  const live = new LivePages(registry, beside);
  const get = (path: string, handler: GuardedHandler): RouteSpec<HttpHandler> => ({
    path,
    methods: ['GET'],
    value: guard(access, access.isOpen ? namedAsThisMachine(handler) : handler),
  });
  return [
    get('/', async (guarded) => {
      const query = readStatusQuery(guarded.request.query);
      return file('text/html; charset=utf-8', statusPage(await now(registry, beside(), guarded), query), 'no-store');
    }),
    get('/v1/status', async (guarded) =>
      jsonResponse({
        ...(statusJson(await now(registry, beside(), guarded)) as object),
        unreachable: options.dialBack?.problems ?? [],
      }),
    ),
    get('/status/live', async ({ request, call, who }) => live.open(readStatusQuery(request.query), who.name, call)),
    get('/status/page.css', async () => file('text/css; charset=utf-8', pageStyle)),
    get('/status/page.js', async () => file('text/javascript; charset=utf-8', pageScript)),
    get('/status/icon.svg', async () => file('image/svg+xml', pageIcon)),
  ];
}

function now(registry: Registry, beside: Beside, { request, call }: GuardedRequest): Promise<Overview> {
  return overviewOf(registry, readStatusQuery(request.query), momentOf(call.clock), beside);
}

function namedAsThisMachine(handler: GuardedHandler): GuardedHandler {
  return async (guarded) => {
    assertNameOfThisMachine(guarded.request);
    return handler(guarded);
  };
}

/** The page's own files stay the same as long as the program: a browser asks again after five minutes. */
function file(type: string, text: string, caching = 'private, max-age=300'): HttpResponse {
  const headers = new HttpHeaders([
    ['content-type', type],
    ['cache-control', caching],
    ['content-security-policy', policy],
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
    ['referrer-policy', 'no-referrer'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
  ]);
  return { status: 200, headers, body: Buffer.from(text) };
}
