import { type HttpHandler, type RouteSpec, routesHandler } from '@flotilla/http';
import { type Access, accessOf, type DialBack, type Registry, type RegistryUser } from '@flotilla/registry/server';
import type { ReplicationAction } from '../peers/items.ts';
import type { Peers } from '../peers/peers.ts';
import { peerResources } from '../peers/routes.ts';
import { aboutServer, refuseGroup, statusOverrides } from './about-server.ts';
import { ApplicationsIndex } from './applications-index.ts';
import type { Answerer, EurekaContext } from './context.ts';
import { DeltaListing, deltaRetentionMs } from './delta.ts';
import { FullListing } from './full-listing.ts';
import { lastChanges } from './last-changes.ts';
import { application, everybody, instance, instanceAnywhere, ofVip, whatChanged } from './reads.ts';
import type { Replica } from './replica.ts';
import { type Resource, refuseUnknown, resourceHandler } from './resource.ts';
import { adopt, cancel, register, renew, renewNow } from './said-by-owners.ts';
import { clearOverride, mergeMetadata, setOverride } from './said-of-others.ts';

/** How a registry is served to Eureka's clients. */
export interface EurekaServerOptions {
  /** The registry's users; Eureka's clients send them from `user:password@` in their service URL. Absent: open. */
  readonly users?: readonly RegistryUser[] | undefined;
  /** The door that all dialects of one registry share. Default: one of these routes alone, with `users`. */
  readonly access?: Access | undefined;
  /** Connects to instances before they are listed as up. Default: they are believed. */
  readonly dialBack?: DialBack | undefined;
  /** How long a change stays in the delta. Default 180,000, as of Java servers; clients fetch every 30 s. */
  readonly deltaRetentionMs?: number;
  /** The registries that this one replicates with, started. Absent: it takes replication and sends none. */
  readonly peers?: Peers | undefined;
  /** The other servers that changes are passed on to, for `GET status`. Default: the peers. */
  readonly replicas?: () => readonly Replica[];
}

/** Netflix' own server listens at `/eureka/v2`, Spring's at both, older ones at `/v2`. */
const prefixes: readonly string[] = Object.freeze(['/eureka', '/eureka/v2', '/v2']);

/** Below each prefix. */
const resources: readonly Resource[] = [
  { path: '/apps', methods: { GET: everybody } },
  { path: '/apps/delta', methods: { GET: whatChanged } },
  { path: '/apps/{app}', methods: { GET: application, POST: register }, asPeer: { POST: adopt } },
  {
    path: '/apps/{app}/{id}',
    methods: { GET: instance, PUT: renew, DELETE: cancel },
    atOnce: renewNow,
    asPeer: { PUT: task('Heartbeat'), DELETE: task('Cancel') },
    silent: ['PUT', 'DELETE'],
  },
  {
    path: '/apps/{app}/{id}/status',
    methods: { PUT: setOverride, DELETE: clearOverride },
    asPeer: { PUT: task('StatusUpdate'), DELETE: task('DeleteStatusOverride') },
  },
  { path: '/apps/{app}/{id}/metadata', methods: { PUT: mergeMetadata } },
  { path: '/instances/{id}', methods: { GET: instanceAnywhere } },
  { path: '/vips/{vip}', methods: { GET: ofVip('vipAddress') } },
  { path: '/svips/{vip}', methods: { GET: ofVip('secureVipAddress') } },
  { path: '/asg/{name}/status', methods: { PUT: refuseGroup } },
  { path: '/status', methods: { GET: aboutServer } },
  { path: '/lastn', methods: { GET: lastChanges }, isPage: true },
  { path: '/serverinfo/statusoverrides', methods: { GET: statusOverrides } },
  { path: '/peerreplication/batch', methods: { POST: ({ peers }, asked) => peers.batch(asked) } },
  { path: '/peerreplication/fingerprints', methods: { GET: ({ peers }, asked) => peers.fingerprints(asked) } },
  { path: '/peerreplication/instances', methods: { POST: ({ peers }, asked) => peers.instances(asked) } },
];

/** Outside of the prefixes: where Spring's dashboard and Netflix' own server have them. */
const atRoot: readonly Resource[] = resources.filter(({ path }) => /^\/(?:lastn|serverinfo)/.test(path));

/**
 * Eureka's REST API over a registry: registering, renewing, leaving, reading, deltas, an operator's status and metadata.
 * Each path is served with and without a trailing slash. Documents are XML, or JSON for who names it; lists also in the
 * compact form (`x-eureka-accept: compact`) and, whole and delta, as gzip. One text serves everybody between two changes.
 *
 * | request | answer |
 * |---|---|
 * | `POST apps/{app}` | 204; 400 with the words of a Java server; 415 for anything but JSON and XML |
 * | `PUT apps/{app}/{id}?lastDirtyTimestamp=` | 200; 404: register (again). Never a body |
 * | `DELETE apps/{app}/{id}` | 200; 404. Never a body |
 * | `GET apps`, `apps/{app}`, `apps/{app}/{id}`, `instances/{id}` | 200; 404 |
 * | `GET apps/delta` | 200: what changed lately, see {@link DeltaListing} |
 * | `GET vips/{vip}`, `svips/{vip}` | 200, with an empty list for a VIP address that nobody has |
 * | `PUT`, `DELETE apps/{app}/{id}/status?value=` | 200; 404; 400 for no status. An operator's word |
 * | `PUT apps/{app}/{id}/metadata?name=value` | 200; 404. Until its owner registers again |
 * | `GET status`, `lastn`, `serverinfo/statusoverrides` | 200: the server, its last changes, operators' words |
 * | `PUT asg/{name}/status` | 400: not in Amazon's cloud |
 * | `POST peerreplication/batch` | 200 with a result for each task; 403 without the role peer: see {@link peerResources} |
 * | a change with `x-netflix-discovery-replication: true` | the same for one task; 409 with the instance: a newer one is listed |
 * | another method; an `accept` without JSON and XML; another address below `/eureka` | 405 with `allow`; 406; 404 |
 *
 * `regions` changes nothing but which deltas are counted: there is one region. `docs/decisions/0028-eureka-dialect.md`
 * lists by name where a Java server answers otherwise, and why.
 */
export function eurekaRoutes(registry: Registry, options: EurekaServerOptions = {}): RouteSpec<HttpHandler>[] {
  const access = accessOf(options);
  const retentionMs = options.deltaRetentionMs ?? deltaRetentionMs;
  const index = new ApplicationsIndex(registry, retentionMs);
  const context: EurekaContext = {
    registry,
    dialBack: options.dialBack,
    full: new FullListing(registry, index),
    delta: new DeltaListing(registry, index),
    regionsDelta: new DeltaListing(registry, index),
    peers: peerResources(registry, options.peers),
    replicas: options.replicas ?? (() => replicasOf(options.peers)),
  };
  const serve = (resource: Resource, prefix: string): RouteSpec<HttpHandler>[] => {
    const value = resourceHandler(context, resource, access);
    return ['', '/'].map((slash) => ({ path: `${prefix}${resource.path}${slash}`, value }));
  };
  return [
    ...prefixes.flatMap((prefix) => resources.flatMap((resource) => serve(resource, prefix))),
    ...atRoot.flatMap((resource) => serve(resource, '')),
    { path: '/eureka/**', value: resourceHandler(context, refuseUnknown, access) },
  ];
}

/** {@link eurekaRoutes} as one handler; NO_ROUTE for everything else. */
export function eurekaHandler(registry: Registry, options: EurekaServerOptions = {}): HttpHandler {
  return routesHandler(eurekaRoutes(registry, options));
}

function replicasOf(peers: Peers | undefined): Replica[] {
  return peers?.states.map(({ url, reachable }) => ({ url, isAvailable: reachable })) ?? [];
}

/** One task that a peer sends by itself. */
function task(action: Exclude<ReplicationAction, 'Register'>): Answerer {
  return ({ peers }, asked) => peers.task(action, asked);
}
