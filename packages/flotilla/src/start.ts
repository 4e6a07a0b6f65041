import { Clusters, type LiveSetCache, type PickExplanation } from '@flotilla/balance';
import type { Settings } from '@flotilla/config';
import {
  type Address,
  type Call,
  type Clock,
  type Component,
  type ContractDocument,
  type ContractRef,
  compose,
  FlotillaError,
  formatHostPort,
  type Instance,
  identity,
  type Logger,
  leaseDefaults,
  type Meter,
  type Random,
  type ReadyHandler,
  type Registration,
  type Running,
  type Store,
  startAll,
  type Tracer,
} from '@flotilla/core';
import { type Bind, type HttpHandler, type HttpListener, type HttpNetwork, tellUtilisation } from '@flotilla/http';
import { createSharedRateLimiter, type Policies } from '@flotilla/resilience';
import { type AnyContract, contractHandler, contractHash, contractText, type RpcTransport } from '@flotilla/rpc';
import { CallServer, serveDirectly, servingCalls, speakRSocket } from '@flotilla/rpc/rsocket';
import type { Health } from '@flotilla/telemetry';
import { type App, type AppParts, appParts, type ServiceOptions } from './app.ts';
import type { ClientRuntime } from './client.ts';
import { commandMemory, openConfiguredStore } from './command-memory.ts';
import { type Copy, runInCopy } from './copies.ts';
import type { Discovery } from './discovery/discovery.ts';
import { callersNoticed } from './drain-notice.ts';
import { openApiRoute } from './openapi.ts';
import { type PlatformConfig, type ServiceConfig, serviceSchema } from './platform-settings.ts';
import { leasesOf, policiesOf, protectedRoute, protectWith } from './process-policies.ts';
import { type RepeatedWork, repeatedWork } from './repeated-work.ts';

/** What a service runs on. `run()` takes sockets and the machine's clock; a test takes memory and a manual clock. */
export interface ServiceRuntime {
  readonly network: HttpNetwork;
  /** Where to listen: the address, or a listening socket that a supervisor handed over instead. */
  readonly bindOf: (host: string, port: number) => Bind;
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly health: Health;
  /** What instances remember together. Default: what the configuration names. */
  readonly store?: Store;
  /** Keeps the last known instances on disk. Default: memory only. */
  readonly cache?: LiveSetCache;
  /** How operations are called where an instance speaks what is faster than HTTP. Default: over HTTP. */
  readonly fast?: RpcTransport;
  /** How operations are called where services are placed in this process, whatever `transport` says. */
  readonly local?: RpcTransport | undefined;
  /** Chooses the host that others reach this instance by, and says why. */
  readonly advertise: (
    bind: string,
    explicit: string | undefined,
  ) => { readonly host: string; readonly reason: string };
  /** What protects the calls that it makes and takes. Default: one with its configuration, of a process that is never busy. */
  readonly policies?: Policies;
  /** Where the management port listens, for tools that look the instance up. */
  readonly management?: Pick<Address, 'host' | 'port'>;
  /** How busy the event loop of this process is, 0 to 1, for callers that ask. Default: they are not told. */
  readonly utilisation?: () => number;
}

/** The parts of a service that can be started. */
export interface ServiceParts {
  /** Started in order, stopped in reverse. */
  readonly components: readonly Component[];
  /** The registered instance. Throws before it is registered. */
  instance(): Instance;
  /** What it serves. Throws before it listens. */
  url(): string;
  /** Calls that ending at once would lose: "3 calls". Empty: none. */
  inHand(): string;
  /** Takes in what may change while the service runs: its own settings, policies, `weight`, `drainNoticeMs`, `drainMs`. */
  refresh(now: ServiceConfig<unknown>): void;
  /**
   * Why the calls of its clients go where they go, of one service or of all.
   * @throws FlotillaError NO_ROUTE when it does not call that service
   */
  why(service: string | undefined): readonly PickExplanation[];
  /** Closes clients and resources, and tells nobody: what a killed process would give back to its machine. */
  release(): Promise<void>;
}

/** A service that takes calls. */
export interface RunningService {
  readonly instance: Instance;
  readonly url: string;
  /** Takes in what may change while the service runs: its own settings, policies, `weight`, `drainNoticeMs`, `drainMs`. */
  refresh(now: ServiceConfig<unknown>): void;
  /**
   * Leaves well.
   * 1. Readiness says no; the registry learns `draining` and pushes it; callers say that they know, or get `drainNoticeMs`.
   * 2. The instance is deregistered.
   * 3. The listener takes no more; calls in hand get `drainMs` to end, then they are broken with a reason.
   * 4. Clients close, then resources, last opened first.
   */
  stop(reason: string): Promise<void>;
  /** Why the calls of its clients go where they go; see {@link ServiceParts.why}. */
  why(service: string | undefined): readonly PickExplanation[];
  /** Closes clients and resources, and tells nobody: for a test that plays that the process was killed. */
  release(): Promise<void>;
}

/** The configuration of an application: the platform's keys, and its own under `settings`. */
export function configSchemaOf<S>(app: App<S>): Settings<ServiceConfig<S>> {
  return serviceSchema(appParts(app).options.config);
}

/**
 * Starts an application on a runtime: all of it, or nothing. The order is that of {@link serviceParts}.
 * A process of its own uses `run()`; this is for tests, and for several services in one process.
 */
export async function startService<S>(
  app: App<S>,
  config: ServiceConfig<S>,
  runtime: ServiceRuntime,
): Promise<RunningService> {
  const parts = serviceParts(app, config, runtime);
  const running: Running = await startAll(parts.components, runtime.logger);
  return {
    instance: parts.instance(),
    url: parts.url(),
    refresh: (now) => parts.refresh(now),
    stop: (reason) => running.stop(reason),
    release: () => parts.release(),
    why: (service) => parts.why(service),
  };
}

/**
 * What starting an application means, in order.
 * 1. The settings can be read.
 * 2. Resources are opened, in the order in which they were declared.
 * 3. Clients begin to look for their services. The store is opened; one that cannot be reached now is tried again.
 * 4. Repeated work begins its first run.
 * 5. The listener opens.
 * 6. The instance is registered as `up`. A registry that cannot be reached now is tried again, and is no error.
 */
export function serviceParts<S>(app: App<S>, config: ServiceConfig<S>, given: ServiceRuntime): ServiceParts {
  const parts = appParts(app);
  const copy: Copy = {};
  let current = config;
  const policies = given.policies ?? policiesOf(config, given);
  const runtime: ProtectedRuntime = { ...given, policies };
  const now = (): ServiceConfig<S> => current;
  const clusters = new Clusters(config.clients);
  const shared = storeOf(parts.name, config.store, runtime);
  const door = listenerOf(parts, copy, now, runtime, shared.store);
  const listing = registrationOf(parts, now, runtime, door.listener);
  const own = [
    settingsComponent(parts, copy, now),
    ...parts.resources.map((resource) => resourceComponent(resource, copy, config.settings)),
    clientsComponent(parts, copy, now, clientNeeds(config.zone, clusters, runtime), runtime.discovery),
    shared.component,
  ];
  return {
    components: [
      ...own,
      discoveryComponent(runtime),
      ...parts.repeated.map((work) => repeatedComponent(work, copy, runtime)),
      door.component,
      listing.component,
    ],
    instance: listing.instance,
    url: () => `${protocolOf(config, runtime)}://${formatHostPort(door.listener())}`,
    inHand() {
      const calls = door.listener().inFlight;
      return calls === 0 ? '' : `${calls} ${calls === 1 ? 'call' : 'calls'}`;
    },
    refresh(changed) {
      current = changed as ServiceConfig<S>;
      clusters.update(current.clients);
      policies.configure(changed);
      refreshSettings(parts, copy, current.settings, runtime.logger);
      listing.refresh();
    },
    why: (service) => clusters.explain(service),
    async release() {
      for (const component of own.toReversed()) await component.stop('killed');
    },
  };
}

function settingsComponent<S>({ settings }: AppParts<S>, copy: Copy, now: () => ServiceConfig<S>): Component {
  return {
    name: 'settings',
    async start() {
      settings.now.set(copy, { values: now().settings });
    },
    async stop() {
      settings.now.delete(copy);
    },
  };
}

/** Swaps the settings, then tells everybody who wants to hear of it, in the order in which they asked. */
function refreshSettings<S>({ name, settings }: AppParts<S>, copy: Copy, values: S, logger: Logger): void {
  const before = settings.now.get(copy)?.values;
  if (before === undefined || before === values) return;
  settings.now.set(copy, { values });
  for (const listener of settings.listeners) {
    void runInCopy(copy, async () => listener(values, before)).catch((cause: unknown) =>
      logger.error('a listener of the settings failed; the new settings count all the same', { name, cause }),
    );
  }
}

function resourceComponent<S>(resource: AppParts<S>['resources'][number], copy: Copy, settings: S): Component {
  const { name, values } = resource;
  return {
    name,
    async start() {
      values.set(copy, { opened: await runInCopy(copy, () => resource.start(settings)) });
    },
    async stop() {
      const value = values.get(copy);
      values.delete(copy);
      if (value) await runInCopy(copy, () => resource.stop(value.opened));
    },
  };
}

/** What clients need of the process around them, besides whom to find. */
export function clientNeeds(
  zone: string | undefined,
  clusters: Clusters,
  runtime: Omit<ServiceRuntime, 'bindOf'>,
): Omit<ClientRuntime, 'resolver'> & Pick<ServiceRuntime, 'local'> {
  const caller = runtime.management && formatHostPort(runtime.management);
  return { ...runtime, zone, clusters, caller };
}

function clientsComponent<S>(
  parts: AppParts<S>,
  copy: Copy,
  now: () => ServiceConfig<S>,
  needs: Omit<ClientRuntime, 'resolver'> & Pick<ServiceRuntime, 'local'>,
  { resolver }: Discovery,
): Component {
  const { copies } = parts;
  const clients = [...parts.clients, parts.fetching];
  return {
    name: 'clients',
    async start() {
      copies.add(copy);
      const fast = needs.local ?? (now().transport === 'http' ? undefined : needs.fast);
      for (const client of clients) client.connect({ ...needs, fast, resolver }, copy);
    },
    async stop() {
      await Promise.all(clients.map((client) => client.close(copy)));
      copies.delete(copy);
    },
  };
}

/** Work that repeats itself reads what its own copy has opened. */
function repeatedComponent(work: RepeatedWork, copy: Copy, runtime: ServiceRuntime): Component {
  const component = repeatedWork(work, runtime);
  return { ...component, start: () => runInCopy(copy, () => component.start()) };
}

/** Stopped before the clients, after the registration: nothing is looked up or registered any more. */
export function discoveryComponent({ discovery }: Pick<ServiceRuntime, 'discovery'>): Component {
  return { name: 'discovery', start: async () => {}, stop: () => discovery.close() };
}

/** A runtime that has its policies. */
type ProtectedRuntime = ServiceRuntime & { readonly policies: Policies };

/** The store that the configuration names, from the start to the stop. One that the runtime brings is closed by its owner. */
function storeOf(
  service: string,
  url: string,
  runtime: ProtectedRuntime,
): { readonly component: Component; readonly store: () => Store } {
  let opened: Store | undefined = runtime.store;
  const component: Component = {
    name: 'store',
    async start() {
      opened ??= await openConfiguredStore(url, runtime);
      const { clock, logger, policies } = runtime;
      policies.sharedLimits.countBy(
        createSharedRateLimiter({ store: opened, clock, logger, name: `limit:${service}` }),
      );
    },
    async stop() {
      if (opened !== runtime.store) await opened?.close();
    },
  };
  return {
    component,
    store() {
      if (!opened) throw new FlotillaError('UNAVAILABLE', 'the store is not open yet');
      return opened;
    },
  };
}

function listenerOf<S>(
  parts: AppParts<S>,
  copy: Copy,
  now: () => ServiceConfig<S>,
  { network, bindOf, logger, meter, tracer, clock, random, fast, policies, utilisation }: ProtectedRuntime,
  store: () => Store,
): { readonly component: Component; readonly listener: () => HttpListener } {
  let open: HttpListener | undefined;
  const listener = (): HttpListener => {
    if (!open) throw new FlotillaError('UNAVAILABLE', `service "${parts.name}" does not listen yet`);
    return open;
  };
  const component: Component = {
    name: 'listener',
    async start() {
      const config = now();
      const serving = {
        maxBodyBytes: config.maxBodyBytes,
        protect: protectWith(policies),
        remember: commandMemory({
          store: store(),
          settings: () => policies.server.policies.idempotency,
          events: policies.events,
        }),
        clock,
        logger,
        meter,
        tracer,
      };
      const routes = config.openapi ? [...parts.routes, openApiRoute(parts)] : parts.routes;
      const extraRoutes = routes.map((route) => protectedRoute(policies, route));
      const handler = contractHandler(parts.bindings, { ...serving, extraRoutes });
      const filtered = compose(
        [...(utilisation ? [tellUtilisation(utilisation)] : []), ...parts.filters.map((make) => make(now().settings))],
        handler,
      );
      // A process of its own has one copy and pays nothing for others.
      const within = <T>(work: () => T): T => (parts.copies.size > 1 ? runInCopy(copy, work) : work());
      const inThisCopy = <Req, Res>(serve: ReadyHandler<Req, Res>, asked: Req, call: Call): Res | Promise<Res> =>
        runInCopy(copy, () => serve(asked, call));
      const inCopy: HttpHandler = (request, call) => within(() => filtered(request, call));
      if (fast && config.transport !== 'http') {
        const calls = new CallServer(parts.bindings, {
          ...serving,
          random,
          utilisation,
          around: (serve) => (asked, call) =>
            parts.copies.size > 1 ? inThisCopy(serve, asked, call) : serve(asked, call),
          through: parts.filters.length > 0 ? inCopy : undefined,
        });
        speakRSocket(serveDirectly(inCopy, calls), servingCalls(calls, leasesOf(policies)));
      }
      open = await network.listen(bindOf(config.bind, config.port), inCopy);
    },
    stop: async () => open?.drain(now().drainMs),
  };
  return { component, listener };
}

/** What its own listener speaks; RSocket beside it is encrypted as HTTP is. */
function protocolOf<S>({ bind, port }: ServiceConfig<S>, { bindOf }: ServiceRuntime): 'http' | 'https' {
  return bindOf(bind, port).tls === true ? 'https' : 'http';
}

function registrationOf<S>(
  parts: AppParts<S>,
  now: () => ServiceConfig<S>,
  runtime: ServiceRuntime,
  listener: () => HttpListener,
): { readonly component: Component; readonly instance: () => Instance; refresh(): void } {
  let instance: Instance | undefined;
  let registration: Registration | undefined;
  const present = (): Instance => {
    if (!instance) throw new FlotillaError('UNAVAILABLE', `service "${parts.name}" is not registered yet`);
    return instance;
  };
  const component: Component = {
    name: 'registration',
    async start() {
      const config = now();
      const { port, host: bound } = listener(); // a socket that was handed over need not be where `bind` says
      const { host, reason } = runtime.advertise(bound, config.advertise);
      const protocol = protocolOf(config, runtime);
      const beside = runtime.fast && config.transport !== 'http' ? [protocol === 'https' ? 'rsockets' : 'rsocket'] : [];
      instance = describeInstance(parts, config, runtime, { protocol, host, port }, beside);
      registration = runtime.discovery.registrar.register(instance, documentsOf(contractsOf(parts)));
      runtime.logger.info('registering', {
        instance: instance.id,
        address: formatHostPort({ host, port }),
        reason,
      });
      // Who says that it serves can be found: a predecessor that leaves now leaves no gap.
      await registration.announced;
    },
    async stop(reason) {
      runtime.health.drain();
      runtime.logger.info('draining', { instance: instance?.id, reason });
      await registration?.setStatus('draining');
      await callersNoticed(registration, now().drainNoticeMs, runtime.clock);
      await registration?.deregister();
    },
  };
  return {
    component,
    instance: present,
    refresh: () => void registration?.setWeight(now().weight),
  };
}

/** What of an application its instance tells. */
interface DescribedParts {
  readonly name: string;
  readonly options: Pick<ServiceOptions<never>, 'version' | 'metadata'>;
  readonly bindings: readonly { readonly contract: AnyContract }[];
  /** What it calls others by. */
  readonly clients: readonly { readonly contract: AnyContract }[];
}

/**
 * What an instance says of itself when it comes up, at `address`.
 * @param beside other protocols that the same port speaks
 */
export function describeInstance(
  { name, options, bindings, clients }: DescribedParts,
  config: Pick<PlatformConfig, 'zone' | 'weight' | 'metadata'>,
  { clock, random, management }: Pick<ServiceRuntime, 'clock' | 'random' | 'management'>,
  address: Address,
  beside: readonly string[] = [],
): Instance {
  const startedAt = clock.wallNow();
  // Unique per process: a successor on the same port is another instance, so that the one that leaves takes out itself.
  const suffix = Math.floor(random() * 36 ** 4).toString(36);
  return {
    id: `${formatHostPort(address)}:${name}:${suffix}`,
    identity: identity(name, options.version === undefined ? {} : { version: options.version }),
    incarnation: startedAt,
    addresses: [address, ...beside.map((protocol) => ({ ...address, protocol }))],
    contracts: bindings.map(refOf),
    // Two clients may call one contract, of two services.
    calls: [...new Set(clients.map(({ contract }) => contract))].map((contract) => refOf({ contract })),
    status: 'up',
    ...(config.zone === undefined ? undefined : { zone: config.zone }),
    weight: config.weight,
    lease: leaseDefaults,
    startedAt,
    revision: 0,
    metadata: {
      ...options.metadata,
      ...config.metadata,
      ...(management && {
        'management.address': management.host,
        'management.port': String(management.port),
      }),
    },
    bags: {},
  };
}

function refOf({ contract }: { readonly contract: AnyContract }): ContractRef {
  return { name: contract.name, version: contract.version, hash: contractHash(contract) };
}

/** Everything that an application serves or calls. */
export function contractsOf({ bindings, clients }: Pick<DescribedParts, 'bindings' | 'clients'>): AnyContract[] {
  return [...new Set([...bindings, ...clients].map(({ contract }) => contract))];
}

/** What a registry may ask for. */
export function documentsOf(contracts: readonly AnyContract[]): ContractDocument[] {
  return contracts.map((contract) => ({ hash: contractHash(contract), text: () => contractText(contract) }));
}
