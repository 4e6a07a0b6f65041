import { FlotillaError, formatIdentity, type Instance } from '@flotilla/core';
import { answeringNow, type HttpHandler, type HttpResponse, type RouteSpec, routesHandler } from '@flotilla/http';
import { catalogueRoutes } from '../catalogue/routes.ts';
import { checkInstance, checkStatus } from '../check-instance.ts';
import { formatCursor } from '../cursor.ts';
import { optional, record, wholeNumber } from '../field-checks.ts';
import type { Lease } from '../lease/lease.ts';
import type { Found, InstanceKey, Registered } from '../lease/lease-table.ts';
import { Access } from './access.ts';
import { acknowledge } from './acknowledge.ts';
import type { AuditTrail } from './audit.ts';
import type { RequestKind } from './client-limits.ts';
import type { DialBack } from './dial-back.ts';
import {
  assertMayRegister,
  assertMaySpeakFor,
  assertOperator,
  type GuardedHandler,
  type GuardedRequest,
  guard,
  guardNow,
  mayTouch,
  type PromptGuarded,
} from './guard.ts';
import type { Registry, ServiceSummary } from './registry.ts';
import {
  emptyResponse,
  identityOf,
  identityParameters,
  incarnationOf,
  jsonResponse,
  keyOf,
  readJson,
  readQuery,
  targetOf,
  textResponse,
} from './request-parts.ts';
import { Snapshots } from './snapshots.ts';
import type { RegistryUser } from './users.ts';
import { watchRoutes } from './watch-routes.ts';

/** How a registry is served. */
export interface RegistryServerOptions {
  /** Who may do what. Absent: everybody may do everything, for loopback only. */
  readonly users?: readonly RegistryUser[] | undefined;
  /** The door that all dialects of one registry share. Default: one of these routes alone, with `users`. */
  readonly access?: Access | undefined;
  /** Connects to instances before they are listed as up. Default: they are believed. */
  readonly dialBack?: DialBack | undefined;
}

/** @throws FlotillaError CONFIG_INVALID for users that cannot be used, and for users beside an `access` */
export function accessOf({ access, users }: RegistryServerOptions): Access {
  if (access && users) throw new FlotillaError('CONFIG_INVALID', 'users are those of "access": leave "users" out');
  return access ?? new Access({ users });
}

/**
 * A registry's own API, as routes to be joined with those of dialects. JSON both ways; errors are problems. `service`
 * in a path is the name alone; `?namespace=`, `?group=` and `?version=` tell the rest of the identity.
 *
 * | request | answer |
 * |---|---|
 * | `PUT /v1/services/{service}/instances/{id}` | registers the instance in the body; `unsynced`: the shared engine, which is away, does not have it yet; 409 with `data.incarnation`: it is gone, and comes back only with a higher one |
 * | `GET` the same | the instance and its lease |
 * | `POST …/renewal?incarnation=` | 204; 200 with `wants`, contracts whose text it would like to have; 404 with `data.lease` `unknown`: register again |
 * | `PUT …/status` | sets the owner's status: `{"status":"draining","incarnation":7}` |
 * | `PUT …/override`, `DELETE …/override` | sets, takes back an operator's status |
 * | `DELETE …?incarnation=` | 204; 404 when it was not there |
 * | `GET /v1/services` | services, how many instances, why eviction is paused |
 * | `POST /v1/services/{service}/evictions` | evicts what self-preservation holds |
 * | `GET /v1/instances?service=` or `?contract=` | a snapshot with its cursor; `&as=observer`: for somebody who calls none of them |
 * | `GET /v1/watch?service=` or `?contract=`, `&cursor=` | pushed changes, and what belongs to them: {@link watchRoutes} |
 * | `GET /v1/audit` | for operators: what was done and refused lately |
 *
 * Whatever changes an instance is answered once the shared engine has it: with 503 when that takes more than two seconds,
 * with {@link unsyncedField} while the engine is away.
 *
 * @throws FlotillaError CONFIG_INVALID for users that cannot be used
 */
export function registryRoutes(registry: Registry, options: RegistryServerOptions = {}): RouteSpec<HttpHandler>[] {
  const access = accessOf(options);
  const snapshots = new Snapshots(registry);
  const route = (
    method: string,
    path: string,
    handler: GuardedHandler,
    kind?: RequestKind,
  ): RouteSpec<HttpHandler> => ({
    path,
    methods: [method],
    value: guard(access, handler, kind && { kind }),
  });
  const instance = '/v1/services/{service}/instances/{id}';
  return [
    route('PUT', instance, (guarded) => register(registry, options.dialBack, guarded)),
    route('GET', instance, (guarded) => show(registry, guarded)),
    route('DELETE', instance, (guarded) => deregister(registry, guarded)),
    {
      path: `${instance}/renewal`,
      methods: ['POST'],
      value: answeringNow(
        guard(access, (guarded) => renew(registry, guarded), { kind: 'renewal' }),
        guardNow(access, 'renewal', renewNow(registry)),
      ),
    },
    route('PUT', `${instance}/status`, (guarded) => setStatus(registry, options.dialBack, guarded)),
    route('PUT', `${instance}/override`, (guarded) => setOverride(registry, guarded)),
    route('DELETE', `${instance}/override`, (guarded) => clearOverride(registry, guarded)),
    route('GET', '/v1/services', async () => listServices(registry)),
    route('POST', '/v1/services/{service}/evictions', (guarded) => evictLapsed(registry, guarded)),
    route('GET', '/v1/instances', (guarded) => listInstances(registry, snapshots, guarded)),
    ...watchRoutes(registry, snapshots, route),
    ...catalogueRoutes(registry, access),
    route('GET', '/v1/audit', (guarded) => listAudit(access.audit, guarded)),
  ];
}

/** {@link registryRoutes} as one handler; NO_ROUTE for everything else. */
export function registryHandler(registry: Registry, options: RegistryServerOptions = {}): HttpHandler {
  return routesHandler(registryRoutes(registry, options));
}

async function register(
  registry: Registry,
  dialBack: DialBack | undefined,
  { request, call, who, by, params }: GuardedRequest,
): Promise<HttpResponse> {
  const query = readQuery(request.query, identityParameters);
  const asked = checkInstance(withPlace(await readJson(request, call), params, query));
  assertMayRegister(who, asked);
  const wants = registry.catalogue.wanted(asked);
  if (registry.judgesContracts && wants.length > 0) throw wantsContracts(asked, wants);
  const { instance, problem } = (await dialBack?.judge(asked, request.peer?.address)) ?? { instance: asked };
  const registered = registry.register(instance, { acceptOverride: who.isOperator, by });
  if (registered.outcome === 'stale') throw stale(instance, registered);
  const key = keyOf(params, query);
  return acknowledge(registry, key, () =>
    jsonResponse({
      outcome: registered.outcome,
      cursor: formatCursor(registry.cursor),
      // The address that the registry sees: whoever advertises another one finds out here.
      ...(request.peer ? { seenAddress: request.peer.address } : undefined),
      incarnation: registered.lease.instance.incarnation,
      revision: registered.lease.instance.revision,
      ...(wants.length > 0 ? { wants } : undefined),
      ...(problem ? { unreachable: problem } : undefined),
      ...(registered.lease.instance.lease ? { lease: registered.lease.instance.lease } : undefined),
      ...(registry.isUnsynced(key) ? { unsynced: true } : undefined),
    }),
  );
}

async function show(registry: Registry, { request, params }: GuardedRequest): Promise<HttpResponse> {
  const key = keyOf(params, readQuery(request.query, identityParameters));
  const lease = registry.get(key);
  if (!lease) throw unknownLease(key);
  const { instance, registeredAt, renewedAt, changedAt, upAt } = lease;
  return jsonResponse({ instance, registeredAt, renewedAt, changedAt, ...(upAt > 0 ? { upAt } : undefined) });
}

async function deregister(registry: Registry, { request, who, by, params }: GuardedRequest): Promise<HttpResponse> {
  const query = readQuery(request.query, [...identityParameters, 'incarnation']);
  assertMaySpeakFor(who, params.get('service') ?? '');
  const key = keyOf(params, query as Parameters<typeof keyOf>[1]);
  known(key, registry.deregister(key, incarnationOf(query.get('incarnation')), { by }));
  return acknowledge(registry, key, () => emptyResponse(204));
}

async function renew(registry: Registry, { request, who, by, params }: GuardedRequest): Promise<HttpResponse> {
  const query = readQuery(request.query, [...identityParameters, 'incarnation']);
  assertMaySpeakFor(who, params.get('service') ?? '');
  const key = keyOf(params, query as Parameters<typeof keyOf>[1]);
  const { instance } = known(key, registry.renew(key, incarnationOf(query.get('incarnation')), { by }));
  // After a restart of the registry nobody registers again, but its catalogue is empty.
  const wants = registry.catalogue.wanted(instance);
  return wants.length > 0 ? jsonResponse({ wants }) : emptyResponse(204);
}

/** {@link renew} at once, where it is known, by its plain name, and nothing is wanted of it: nearly always. */
function renewNow(
  registry: Registry,
): PromptGuarded<{ readonly key: InstanceKey; readonly incarnation: number | undefined }> {
  const mostDigits = 15;
  return {
    find({ request: { query }, who, params }) {
      const digits = query.startsWith('incarnation=') ? query.slice('incarnation='.length) : undefined;
      if (query !== '' && (digits === undefined || digits.length > mostDigits || !/^[0-9]+$/.test(digits)))
        return undefined;
      const service = params.get('service') ?? '';
      const key = { service, id: params.get('id') ?? '' };
      const lease = registry.get(key);
      if (lease?.instance.identity.service !== service) return undefined; // with a version in it: no name of a service
      if (!who.maySpeakFor(service) || !mayTouch(who, lease)) return undefined;
      const incarnation = digits === undefined ? undefined : Number(digits);
      if (incarnation !== undefined && incarnation > lease.declaredIncarnation) return undefined;
      return registry.catalogue.wanted(lease.instance).length > 0 ? undefined : { key, incarnation };
    },
    act({ key, incarnation }, by) {
      registry.renew(key, incarnation, { by });
      return emptyResponse(204);
    },
  };
}

async function setStatus(
  registry: Registry,
  dialBack: DialBack | undefined,
  { request, call, who, by, params }: GuardedRequest,
): Promise<HttpResponse> {
  const key = keyOf(params, readQuery(request.query, identityParameters));
  assertMaySpeakFor(who, params.get('service') ?? '');
  const fields = record(await readJson(request, call), 'body');
  const status = checkStatus(fields['status'], 'status');
  const incarnation = optional(fields['incarnation'], 'incarnation', wholeNumber);
  const present = registry.get(key);
  const asked = present && { ...present.instance, status, incarnation: incarnation ?? present.declaredIncarnation };
  const judged = asked && (await dialBack?.judge(asked, request.peer?.address));
  const lease = known(key, registry.setStatus(key, judged?.instance.status ?? status, incarnation, { by }));
  return acknowledge(registry, key, () => shown(lease));
}

async function setOverride(
  registry: Registry,
  { request, call, who, by, params }: GuardedRequest,
): Promise<HttpResponse> {
  assertOperator(who, 'override a status');
  const key = keyOf(params, readQuery(request.query, identityParameters));
  const fields = record(await readJson(request, call), 'body');
  const lease = known(key, registry.setOverride(key, checkStatus(fields['status'], 'status'), { by }));
  return acknowledge(registry, key, () => shown(lease));
}

async function clearOverride(registry: Registry, { request, who, by, params }: GuardedRequest): Promise<HttpResponse> {
  assertOperator(who, 'take an override back');
  const key = keyOf(params, readQuery(request.query, identityParameters));
  const lease = known(key, registry.setOverride(key, undefined, { by }));
  return acknowledge(registry, key, () => shown(lease));
}

function listServices(registry: Registry): HttpResponse {
  const services = Array.from(registry.services(), summary);
  return jsonResponse({ cursor: formatCursor(registry.cursor), warming: registry.warming, services });
}

async function evictLapsed(registry: Registry, { request, who, by, params }: GuardedRequest): Promise<HttpResponse> {
  assertOperator(who, 'evict what self-preservation holds');
  const identity = identityOf(params, readQuery(request.query, identityParameters));
  return jsonResponse({ evicted: registry.evictLapsed(formatIdentity(identity), { by }) });
}

async function listInstances(
  registry: Registry,
  snapshots: Snapshots,
  { request, enterList }: GuardedRequest,
): Promise<HttpResponse> {
  const query = readQuery(request.query, ['service', 'contract', 'as']);
  if (query.get('as') !== 'observer') registry.audience.readBy('lists');
  const target = targetOf(query as Parameters<typeof targetOf>[0]);
  if (!target) enterList(registry.size);
  return { ...textResponse(''), body: snapshots.body(target) };
}

async function listAudit(audit: AuditTrail | undefined, { request, who }: GuardedRequest): Promise<HttpResponse> {
  assertOperator(who, 'read the audit log');
  readQuery(request.query, []);
  return jsonResponse({ entries: audit?.recent ?? [] });
}

/** What the path says of an instance need not be repeated in its body; where it is, both have to agree. */
function withPlace(
  json: unknown,
  params: ReadonlyMap<string, string>,
  query: ReadonlyMap<'namespace' | 'group' | 'version', string>,
): unknown {
  const fields = record(json, 'instance');
  const place = identityOf(params, query);
  const { identity: given = place, id = params.get('id') } = fields;
  const identity = record(given, 'instance.identity');
  if (id !== params.get('id')) throw mismatch('instance.id', id, params.get('id'));
  const { service = place.service } = identity;
  if (service !== place.service) throw mismatch('instance.identity.service', service, place.service);
  return { ...fields, id, identity: { ...identity, service } };
}

function summary({ service, leases, preservation }: ServiceSummary): unknown {
  return {
    service,
    instances: leases.length,
    up: leases.filter(({ instance }) => (instance.override ?? instance.status) === 'up').length,
    ...(preservation ? { preservation } : undefined),
  };
}

function shown({ instance }: Lease): HttpResponse {
  const { status, override, incarnation, revision } = instance;
  return jsonResponse({ status, ...(override ? { override } : undefined), incarnation, revision });
}

function known(key: InstanceKey, found: Found): Lease {
  if (found.outcome === 'unknown') throw unknownLease(key);
  return found.lease;
}

/** NO_ROUTE: nothing is at this address. `data` tells it apart from an address that no registry serves. */
function unknownLease({ service, id }: InstanceKey): FlotillaError {
  return new FlotillaError('NO_ROUTE', `the registry knows no lease of instance "${id}" of "${service}": register it`, {
    data: { lease: 'unknown' },
  });
}

function stale(
  { id, identity, incarnation }: Instance,
  { incarnation: last }: Registered & { outcome: 'stale' },
): FlotillaError {
  const detail =
    `instance "${id}" of "${formatIdentity(identity)}" is gone with incarnation ${last}; ` +
    `${incarnation} is not newer, so this is taken for late word of it: register with a higher incarnation`;
  return new FlotillaError('INVALID_INPUT', detail, { httpStatus: 409, data: { incarnation: last } });
}

function wantsContracts({ id, identity }: Instance, wants: readonly string[]): FlotillaError {
  const detail =
    `instance "${id}" of "${formatIdentity(identity)}" serves or calls contracts that this registry does not know yet, and it ` +
    'judges them first: put the text of each of data.wants to /v1/services/{service}/contracts/{hash}, then register again';
  return new FlotillaError('INVALID_INPUT', detail, { httpStatus: 409, data: { wants } });
}

function mismatch(field: string, given: unknown, wanted: unknown): FlotillaError {
  const detail = `${field} is ${JSON.stringify(given)}, but the path says ${JSON.stringify(wanted)}`;
  return new FlotillaError('INVALID_INPUT', detail);
}
