import { type Call, FlotillaError, type Logger, toFlotillaError } from '@flotilla/core';
import { type HttpHandler, HttpHeaders, type HttpRequest, type HttpResponse, problemResponse } from '@flotilla/http';
import type { Health } from '../health.ts';
import { telemetryLog } from '../log.ts';
import type { PrometheusMeter } from '../metrics/prometheus-meter.ts';
import { answerEvents, type EventFeed } from './events.ts';
import { assertManagementExposure, hostAllowed, type ManagementCredentials, matchesBasic } from './exposure.ts';

/** What the management port shows, and to whom. */
export interface ManagementOptions {
  readonly health: Health;
  readonly meter: Pick<PrometheusMeter, 'render' | 'contentType'>;
  /** The effective configuration with its origins, secrets already masked. */
  readonly config: () => unknown;
  /** Name, version, instance id and what else tells one process from another. */
  readonly info: () => unknown;
  /** The contracts that are served. Default: `/contracts` is not there. */
  readonly contracts?: () => unknown;
  /** What the process serves as OpenAPI, and where. Default: it serves no operations, and neither address below is there. */
  readonly openapi?: () => {
    readonly document: unknown;
    readonly mediaType: string;
    /** Undefined before it listens. */
    readonly url: string | undefined;
  };
  /**
   * Why calls of this process go where they go: of one service, or of all that it calls. Default: `/why` is not there.
   * @throws FlotillaError NO_ROUTE for a service that it does not call.
   */
  readonly why?: (service: string | undefined) => unknown;
  /** Every live policy with its state and its numbers. Default: `/policies` is not there. */
  readonly policies?: () => unknown;
  /** What policies decide. Default: `/events` is not there. */
  readonly events?: EventFeed;
  readonly logger: Logger;
  /** The host that the port binds to. Default `127.0.0.1`. */
  readonly host?: string;
  /** More names by which it may be asked for. */
  readonly allowedHosts?: readonly string[];
  /** Required off the loopback; asked for on every route wherever they are given. Asked anew for each request: they may change. */
  readonly credentials?: () => ManagementCredentials | undefined;
}

type Route = (request: HttpRequest, call: Call) => HttpResponse | Promise<HttpResponse>;

/**
 * `GET` of `/health/live`, `/health/ready`, `/metrics`, `/config`, `/info`, `/contracts`, `/why?service=…`, `/policies`, `/events` (a stream of
 * them, as NDJSON or, where it is accepted, as server-sent events), `/.well-known/openapi.json` and
 * `/.well-known/api-catalog` (RFC 9727), which leads to it. Read only: other methods are refused, so nothing here can be
 * changed from a foreign page. A request for a foreign host name is refused before
 * anything else, and every refusal is logged.
 * @throws FlotillaError CONFIG_INVALID when others could reach it without credentials.
 */
export function managementHandler(options: ManagementOptions): HttpHandler {
  const { host = '127.0.0.1', allowedHosts = [], credentials = () => undefined } = options;
  assertManagementExposure(host, credentials());
  const routes = routesOf(options);
  const log = telemetryLog(options.logger);
  const admit = (request: HttpRequest): Route => {
    if (!hostAllowed(request.authority, host, allowedHosts)) {
      throw new FlotillaError('FORBIDDEN', `the management port is not known as "${request.authority.slice(0, 255)}"`);
    }
    const wanted = credentials();
    if (wanted && !matchesBasic(request.headers.get('authorization'), wanted)) {
      throw new FlotillaError('UNAUTHENTICATED', 'the management port wants its user and password');
    }
    const route = routes.get(request.path.text);
    if (!route) throw new FlotillaError('NO_ROUTE', `there is no "${request.path.text.slice(0, 255)}" here`);
    if (request.method === 'GET' || request.method === 'HEAD') return route;
    throw new FlotillaError('METHOD_NOT_ALLOWED', `"${request.path.text}" takes GET, not ${request.method}`);
  };
  return async (request, call) => {
    try {
      const { status, headers, body } = await admit(request)(request, call);
      return { status, headers, body: request.method === 'HEAD' ? undefined : body };
    } catch (thrown) {
      const error = toFlotillaError(thrown);
      const { code } = error;
      if (code === 'INTERNAL') log.managementFailed(request.path.text, error.cause ?? error);
      else log.managementDenied(code, request.method, request.path.text, request.peer?.address ?? 'unknown');
      return problemResponse(error, call, refusalHeaders.get(code));
    }
  };
}

const refusalHeaders: ReadonlyMap<string, readonly (readonly [string, string])[]> = new Map([
  ['UNAUTHENTICATED', [['www-authenticate', 'Basic realm="management", charset="UTF-8"'] as const]],
  ['METHOD_NOT_ALLOWED', [['allow', 'GET, HEAD'] as const]],
]);

function routesOf(options: ManagementOptions): ReadonlyMap<string, Route> {
  const { health, meter, config, info, contracts, openapi, policies, events, why } = options;
  const routes = new Map<string, Route>([
    ['/health/live', () => verdict(health.liveness().live, health.liveness())],
    ['/health/ready', () => verdict(health.readiness().ready, health.readiness())],
    ['/metrics', async () => answer(200, meter.contentType, await meter.render())],
    ['/config', () => json(200, config())],
    ['/info', () => json(200, info())],
  ]);
  if (policies) routes.set('/policies', () => answer(200, 'application/json', JSON.stringify(policies(), unlimited)));
  if (events) routes.set('/events', (request, call) => answerEvents(events, request, call));
  if (contracts) routes.set('/contracts', () => json(200, contracts()));
  if (why) routes.set('/why', ({ query }) => json(200, why(new URLSearchParams(query).get('service') ?? undefined)));
  if (openapi) {
    routes.set(openApiPath, () => answer(200, openapi().mediaType, JSON.stringify(openapi().document)));
    routes.set('/.well-known/api-catalog', () => answer(200, linksetMediaType, JSON.stringify(catalogOf(openapi()))));
  }
  return routes;
}

/** Where a process describes its operations, on its management port and, if it is told to, on its own. */
export const openApiPath = '/.well-known/openapi.json';

/** RFC 9264 §4.2; the profile says that it is a catalog of APIs (RFC 9727 §3). */
const linksetMediaType = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"';

function catalogOf({ mediaType, url }: { readonly mediaType: string; readonly url: string | undefined }): unknown {
  const description = { href: openApiPath, type: mediaType };
  return { linkset: url === undefined ? [] : [{ anchor: url, 'service-desc': [description] }] };
}

/** JSON has no Infinity, and `null` would say that nothing is known. */
function unlimited(_key: string, value: unknown): unknown {
  return value === Infinity ? 'unlimited' : value;
}

function verdict(good: boolean, report: unknown): HttpResponse {
  return json(good ? 200 : 503, report);
}

function json(status: number, value: unknown): HttpResponse {
  return answer(status, 'application/json', JSON.stringify(value));
}

const utf8 = new TextEncoder();

function answer(status: number, contentType: string, text: string): HttpResponse {
  const headers = new HttpHeaders([
    ['content-type', contentType],
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
  ]);
  return { status, headers, body: utf8.encode(text) };
}
