import { FlotillaError } from '@flotilla/core';
import {
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  parseJson,
  type RouteSpec,
  readBody,
  routesHandler,
} from '@flotilla/http';
import type { Lease } from '@flotilla/registry';
import {
  assertMayRegister,
  assertMaySpeakFor,
  createAuthenticator,
  type GuardedHandler,
  type GuardedRequest,
  guard,
  type Registry,
  type RegistryUser,
} from '@flotilla/registry/server';
import { encodeApplication, encodeApplications } from '../applications.ts';
import { decodeInstance } from '../instance.ts';
import { empty, json, jsonText, refusedRegistration } from './answers.ts';
import { DeltaListing, deltaRetentionMs } from './delta.ts';
import { keyOf, leaseAt } from './lease-at.ts';
import { FullListing, listed, visible } from './listing.ts';
import { assertAcceptsJson, assertSendsJson } from './negotiation.ts';
import { clearOverride, mergeMetadata, setOverride } from './said-of-others.ts';

/** How a registry is served to Eureka's clients. */
export interface EurekaServerOptions {
  /** The registry's users; Eureka's clients send them from `user:password@` in their service URL. Absent: open. */
  readonly users?: readonly RegistryUser[] | undefined;
  /** How long a change stays in the delta. Default 180,000, as of Java servers; clients fetch every 30 s. */
  readonly deltaRetentionMs?: number;
}

/** Netflix' own server listens at `/eureka/v2`, Spring's at both, older ones at `/v2`. */
const prefixes: readonly string[] = Object.freeze(['/eureka', '/eureka/v2', '/v2']);
const maxBodyBytes = 1_048_576;

/**
 * Eureka's REST API over a registry: registering, renewing, leaving, reading, deltas, an operator's status and metadata,
 * in JSON. Each path is served with and without a trailing slash; `regions` is passed over: there is one.
 *
 * | request | answer |
 * |---|---|
 * | `POST apps/{app}` | 204; 400 with the words of a Java server; 415 for anything but JSON |
 * | `PUT apps/{app}/{id}?lastDirtyTimestamp=` | 200; 404: register (again). Never a body |
 * | `DELETE apps/{app}/{id}` | 200; 404 |
 * | `GET apps`, `apps/{app}`, `apps/{app}/{id}`, `instances/{id}` | 200; 404; 406 for whoever wants XML |
 * | `GET apps/delta` | 200: what changed lately, see {@link DeltaListing} |
 * | `GET vips/{vip}`, `svips/{vip}` | 200, with an empty list for a VIP address that nobody has |
 * | `PUT`, `DELETE apps/{app}/{id}/status?value=` | 200; 404. An operator's word |
 * | `PUT apps/{app}/{id}/metadata?name=value` | 200; 404. Until its owner registers again |
 * | `POST peerreplication/batch` | 501 |
 * | anything with `x-netflix-discovery-replication: true` | 403: there is no role for peers |
 *
 * Departures from Java servers: an owner that registers again as OUT_OF_SERVICE is believed (Java keeps UP); a lease
 * ends at its duration (Java: twice that); a registration older than the instance's farewell is answered with 204 and
 * not stored, so that a late DOWN does not bring back who has left; when an operator's word is taken back the owner's
 * counts again at once (Java: UNKNOWN until it registers again).
 */
export function eurekaRoutes(registry: Registry, options: EurekaServerOptions = {}): RouteSpec<HttpHandler>[] {
  const authenticate = createAuthenticator(options.users);
  const full = new FullListing(registry);
  const delta = new DeltaListing(registry, options.deltaRetentionMs ?? deltaRetentionMs);
  const resources: readonly [method: string, path: string, handler: GuardedHandler][] = [
    ['GET', '/apps', (guarded) => read(guarded, () => jsonText(full.text()))],
    ['GET', '/apps/delta', (guarded) => read(guarded, () => jsonText(delta.text(guarded.call.clock.now())))],
    ['GET', '/apps/{app}', (guarded) => read(guarded, () => application(registry, guarded))],
    ['POST', '/apps/{app}', (guarded) => register(registry, guarded)],
    ['GET', '/apps/{app}/{id}', (guarded) => read(guarded, () => instance(leaseOf(registry, guarded)))],
    ['PUT', '/apps/{app}/{id}', (guarded) => renew(registry, guarded)],
    ['DELETE', '/apps/{app}/{id}', (guarded) => cancel(registry, guarded)],
    ['GET', '/instances/{id}', (guarded) => read(guarded, () => instance(anywhere(registry, guarded)))],
    ['GET', '/vips/{vip}', (guarded) => read(guarded, () => ofVip(registry, guarded, 'vipAddress'))],
    ['GET', '/svips/{vip}', (guarded) => read(guarded, () => ofVip(registry, guarded, 'secureVipAddress'))],
    ['PUT', '/apps/{app}/{id}/status', (guarded) => setOverride(registry, guarded)],
    ['DELETE', '/apps/{app}/{id}/status', (guarded) => clearOverride(registry, guarded)],
    ['PUT', '/apps/{app}/{id}/metadata', (guarded) => mergeMetadata(registry, guarded)],
    ['POST', '/peerreplication/batch', async () => refuseBatch()],
  ];
  return prefixes.flatMap((prefix) =>
    resources.flatMap(([method, path, handler]) => {
      const value = guard(authenticate, withoutReplication(handler));
      return [`${prefix}${path}`, `${prefix}${path}/`].map((whole) => ({ path: whole, methods: [method], value }));
    }),
  );
}

/** {@link eurekaRoutes} as one handler; NO_ROUTE for everything else. */
export function eurekaHandler(registry: Registry, options: EurekaServerOptions = {}): HttpHandler {
  return routesHandler(eurekaRoutes(registry, options));
}

async function register(registry: Registry, { request, call, who, params }: GuardedRequest): Promise<HttpResponse> {
  const app = params.get('app') ?? '';
  if (app.toLowerCase() === 'delta')
    throw new FlotillaError('METHOD_NOT_ALLOWED', 'an application cannot be called "delta"');
  assertMaySpeakFor(who, app);
  assertSendsJson(request.headers);
  const body = await readBody(request.body, maxBodyBytes, call);
  try {
    // An incarnation that its owner has ended is answered like any other: the next heartbeat gets a 404, and its
    // owner, if it lives, registers with a newer one.
    const instance = decodeInstance(documentOf(body), Math.floor(call.clock.wallNow()), app);
    assertMayRegister(who, instance); // a note in its metadata may name another service than the path
    registry.register(instance, { acceptOverride: who.isOperator });
  } catch (error) {
    const refusable = error instanceof FlotillaError && error.httpStatus === 400;
    if (refusable) return refusedRegistration(error);
    throw error;
  }
  return empty(204);
}

/** `ApplicationInfoManager` sends the status too; a Java server does not look at it either. */
async function renew(registry: Registry, { request, who, params }: GuardedRequest): Promise<HttpResponse> {
  assertMaySpeakFor(who, params.get('app') ?? '');
  const dirty = new URLSearchParams(request.query).get('lastDirtyTimestamp');
  if (dirty !== null && !/^[0-9]{1,15}$/.test(dirty)) return empty(400);
  const lease = leaseAt(registry, params);
  if (!lease) return empty(404);
  const { outcome } = registry.renew(keyOf(lease), dirty === null ? undefined : Number(dirty));
  return empty(outcome === 'known' ? 200 : 404);
}

async function cancel(registry: Registry, { who, params }: GuardedRequest): Promise<HttpResponse> {
  assertMaySpeakFor(who, params.get('app') ?? '');
  const lease = leaseAt(registry, params);
  if (!lease) return empty(404);
  return empty(registry.deregister(keyOf(lease)).outcome === 'known' ? 200 : 404);
}

function application(registry: Registry, { params }: GuardedRequest): HttpResponse {
  const app = (params.get('app') ?? '').toUpperCase();
  const leases = Array.from(registry.named(app)).filter((lease) => registry.find(app, lease.instance.id) === lease);
  const instances = leases.map((lease) => listed(lease));
  if (instances.length === 0)
    throw new FlotillaError('NO_ROUTE', `no instance of the application "${app}" is registered`);
  return json(encodeApplication(app, instances));
}

function instance(lease: Lease): HttpResponse {
  return json({ instance: listed(lease) });
}

function leaseOf(registry: Registry, { params }: GuardedRequest): Lease {
  const [app, id] = [params.get('app') ?? '', params.get('id') ?? ''];
  const lease = registry.find(app, id);
  if (!lease) throw new FlotillaError('NO_ROUTE', `the application "${app.toUpperCase()}" has no instance "${id}"`);
  return lease;
}

/** The first of all applications' instances with that id. */
function anywhere(registry: Registry, { params }: GuardedRequest): Lease {
  const id = params.get('id');
  for (const lease of registry.list()) if (lease.instance.id === id) return lease;
  throw new FlotillaError('NO_ROUTE', `no application has an instance "${id}"`);
}

/** Whoever has the address as a member of its list, letter for letter. Java writes -1: no delta of this exists. */
function ofVip(
  registry: Registry,
  { params }: GuardedRequest,
  member: 'vipAddress' | 'secureVipAddress',
): HttpResponse {
  const vip = params.get('vip') ?? '';
  const documents = visible(registry).map((lease) => listed(lease));
  const found = documents.filter((document) => document[member]?.split(',').includes(vip));
  return json(encodeApplications([...found], { version: -1 }));
}

/** The object inside `{"instance": …}`, which is the document's only member. */
function documentOf(body: Uint8Array): unknown {
  const root = parseJson(body);
  const names = typeof root === 'object' && root !== null ? Object.keys(root) : [];
  if (names.length === 1 && names[0] === 'instance') return (root as { instance: unknown }).instance;
  throw new FlotillaError('MALFORMED_REQUEST', 'the document has to be {"instance": …}');
}

async function read({ request }: GuardedRequest, make: () => HttpResponse): Promise<HttpResponse> {
  assertAcceptsJson(request.headers);
  return make();
}

function withoutReplication(handler: GuardedHandler): GuardedHandler {
  return async (guarded) => {
    refuseReplication(guarded.request);
    return handler(guarded);
  };
}

function refuseReplication({ headers }: HttpRequest): void {
  if (headers.get('x-netflix-discovery-replication') !== 'true') return;
  throw new FlotillaError('FORBIDDEN', 'this registry takes no replication: it has no role for peers');
}

function refuseBatch(): never {
  throw new FlotillaError('UNIMPLEMENTED', 'this registry takes no replication: it has no role for peers');
}
