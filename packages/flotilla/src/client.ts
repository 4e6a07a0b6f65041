import {
  type Cluster,
  type ClusterOptions,
  type Clusters,
  createCluster,
  type LiveSetCache,
  type PartialBalanceSettings,
  type PickPolicy,
  pickWish,
} from '@flotilla/balance';
import {
  type Call,
  type Clock,
  compose,
  composeEndpoint,
  type Filter,
  FlotillaError,
  formatHostPort,
  formatTarget,
  type Instance,
  type Logger,
  type Meter,
  type Random,
  type Resolver,
  type Target,
  type Tracer,
} from '@flotilla/core';
import { askUtilisation, type HttpNetwork, mountAt } from '@flotilla/http';
import {
  attemptTimeout,
  budgetOf,
  clientFilters,
  type FilterEntry,
  instanceFilters,
  type PartialSettings,
  type RetryOptions,
  resolveResilience,
} from '@flotilla/resilience';
import {
  type AnyContract,
  type Client,
  createClient,
  httpTransport,
  isRepeatableInput,
  type OperationInfo,
  type OperationRequest,
  type OperationResponse,
  operationAttribute,
  type RpcTransport,
  sendsMany,
} from '@flotilla/rpc';
import { observe } from '@flotilla/telemetry';
import { type Copy, onlyCopy, PerCopy } from './copies.ts';

/** By which part of its input a call of an operation is kept with an instance. */
export type PickKeys<C extends AnyContract> = {
  readonly [Name in keyof C['operations']]?: (input: Parameters<Client<C>[Name]>[0]) => string | undefined;
};

/** What a client may be told. Everything has a default: a client without options is protected already. */
export interface ClientOptions<C extends AnyContract = AnyContract> extends PartialSettings {
  /** The service to call. Default: whichever registered that it serves the contract. */
  readonly service?: string;
  /** How an instance is chosen. Default `peak-ewma`: the better of two random ones, by latency and calls in flight. */
  readonly pick?: PickPolicy;
  /** More about how instances are chosen: `docs/balancing.md`. The configuration (`clients.<service>.balance`) wins over it. */
  readonly balance?: PartialBalanceSettings;
  /**
   * For the picks `hash` and `sticky`, by operation: inputs with the same key go to the same instance.
   * `{ product: ({ id }) => id }`. An operation without one, and `undefined`, go anywhere.
   */
  readonly hash?: PickKeys<C>;
}

/** What a client needs of the process that it runs in. */
export interface ClientRuntime {
  readonly network: HttpNetwork;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly cache?: LiveSetCache;
  /** How operations are called where an instance speaks what is faster than HTTP. Default: over HTTP. */
  readonly fast?: RpcTransport | undefined;
  /** Where the process runs; its own zone is preferred. */
  readonly zone?: string | undefined;
  /** Tells this process from its siblings; see `subset`. */
  readonly caller?: string | undefined;
  /** Configures clusters while they run, and can explain them. Default: only the code counts. */
  readonly clusters?: Clusters | undefined;
}

/** A client that was declared before anything was started. */
export interface LazyClient {
  readonly contract: AnyContract;
  readonly client: Client<AnyContract>;
  /** Finds instances from now on, for one copy of the application; default: it has one. */
  connect(runtime: ClientRuntime, copy?: Copy): void;
  /** Lets that copy's calls in hand end, then gives up its connections. */
  close(copy?: Copy): Promise<void>;
}

/** A client that finds instances already. */
export interface ConnectedClient<C extends AnyContract> {
  readonly client: Client<C>;
  /** Lets calls in hand end, then gives up all connections. */
  close(): Promise<void>;
}

/** Declares a client. Calls made before {@link LazyClient.connect} and after the close are refused. */
export function createLazyClient(contract: AnyContract, options: ClientOptions): LazyClient {
  const connected = new PerCopy<ConnectedClient<AnyContract>>();
  const method =
    (operation: string): Client<AnyContract>[string] =>
    (...args) => {
      const live = connected.current;
      if (!live) throw notStarted(contract);
      return (live.client[operation] as Client<AnyContract>[string])(...args);
    };
  return {
    contract,
    client: Object.freeze(
      Object.fromEntries(Object.keys(contract.operations).map((operation) => [operation, method(operation)])),
    ),
    connect: (runtime, copy = onlyCopy) => connected.set(copy, connectClient(contract, options, runtime)),
    async close(copy = onlyCopy) {
      await connected.get(copy)?.close();
      connected.delete(copy);
    },
  };
}

/** A client outside of any application. It begins to look for its service at once. */
export function connectClient<C extends AnyContract>(
  contract: C,
  options: ClientOptions<C>,
  runtime: ClientRuntime,
): ConnectedClient<C> {
  const target: Target = options.service === undefined ? { contract: contract.name } : { service: options.service };
  const authority = options.service ?? contract.name;
  const transport = runtime.fast ?? plainTransport(runtime);
  const cluster = clusterFor<OperationRequest, OperationResponse>(
    {
      target,
      protocols: transport.protocols,
      accepts: serves(contract, options),
      filters: (name) => connectionFilters(name, options),
      connect: (address, instance, report) => transport.connect({ address, instance, authority, report }),
    },
    options,
    runtime,
  );
  cluster.start(); // known before the first call needs it
  const client = createClient(contract, composeEndpoint([chain(target, options, runtime)], cluster), {
    clock: runtime.clock,
    random: runtime.random,
  });
  return { client, close: () => cluster.close() };
}

/** Calls over HTTP, below the context path that an instance may have. */
export function plainTransport({ network, random }: Pick<ClientRuntime, 'network' | 'random'>): RpcTransport {
  return httpTransport(network, { random }, (endpoint, { instance, report }) =>
    composeEndpoint(report ? [askUtilisation(report)] : [], instance ? mountAt(instance, endpoint) : endpoint),
  );
}

/** What the filters of a typed client work on. */
type CallFilter = Filter<OperationRequest, OperationResponse>;

/**
 * A stream, of elements or of bytes, may go on for as long as its consumer likes: it only has to begin in time. Both share
 * one retry budget.
 */
function chain(target: Target, options: ClientOptions, runtime: ClientRuntime): CallFilter {
  const budget = budgetOf(resolveResilience(options));
  const filtersOf = (given: ClientOptions): CallFilter[] =>
    callFilters<OperationRequest, OperationResponse>(
      target,
      { repeatable: isRepeatableInput, ...given, budget },
      runtime,
      ({ operation }) => operation.name,
    ).map(({ filter }) => filter);
  const keys = options.hash === undefined ? [] : [pickKeys(options.hash)];
  const forCalls = [...keys, ...filtersOf(options)];
  const forStreams = [...keys, ...filtersOf({ ...options, timeoutMs: Infinity })];
  return (next) => {
    const call = compose(forCalls, next);
    const stream = compose(forStreams, next);
    return (request, within) => (request.operation.info.streamed ? stream : call)(request, within);
  };
}

/** Tells the pick what a call is to be kept by. */
function pickKeys(given: PickKeys<AnyContract>): CallFilter {
  const keys = new Map(Object.entries(given));
  return (next) => (request, call) => {
    const key = keys.get(request.operation.info.operation)?.(request.input as never);
    if (key !== undefined) call.set(pickWish, { ...call.get(pickWish), key });
    return next(request, call);
  };
}

/** What stands between a caller and the cluster, outermost first. */
export function callFilters<Req, Res>(
  target: Target,
  options: ClientOptions & RetryOptions<Req, Res>,
  { meter, tracer, logger }: Pick<ClientRuntime, 'meter' | 'tracer' | 'logger'>,
  name: (request: Req, call: Call) => string = (_, call) => operationName(call.get(operationAttribute)),
): readonly FilterEntry<Req, Res>[] {
  return [
    {
      name: 'observe',
      reason: 'outermost: one span and one sample per call, whatever happens further in',
      filter: observe({ meter, tracer, logger, kind: 'client', name }),
    },
    ...clientFilters<Req, Res>({ ...options, meter, target: formatTarget(target) }),
  ];
}

/** What stands between the cluster, which ejects failing instances, and one of them, outermost first. */
export function connectionFilters(
  name: string,
  options: ClientOptions,
): readonly FilterEntry<OperationRequest, OperationResponse>[] {
  return instanceFilters<OperationRequest, OperationResponse>({ ...options, name }).map((entry) =>
    sparingUploads(entry, options),
  );
}

/** Another attempt cannot follow a stream that is being sent, so the one there is may take as long as a whole call. */
function sparingUploads(
  entry: FilterEntry<OperationRequest, OperationResponse>,
  options: ClientOptions,
): FilterEntry<OperationRequest, OperationResponse> {
  if (entry.name !== 'attemptTimeout') return entry;
  const patient = attemptTimeout<OperationRequest, OperationResponse>({
    attemptTimeoutMs: resolveResilience(options).timeoutMs,
  });
  const filter: CallFilter = (next) => {
    const once = patient(next);
    const oneOfSeveral = entry.filter(next);
    return (request, call) => (isSentOnce(request) ? once : oneOfSeveral)(request, call);
  };
  return { ...entry, filter };
}

function isSentOnce(request: OperationRequest): boolean {
  return sendsMany(request.operation) || !isRepeatableInput(request);
}

/**
 * Who registered under a contract's name may serve another version of it. One that declares no contract says nothing: it is
 * taken only by a caller that named its service.
 */
function serves({ name, version }: AnyContract, { service }: ClientOptions): (instance: Instance) => boolean {
  return ({ contracts }) =>
    contracts.length === 0
      ? service !== undefined
      : contracts.some((contract) => contract.name === name && contract.version === version);
}

/** What tells one cluster of this process from another. */
export interface ClusterShape<Req, Res>
  extends Pick<ClusterOptions<Req, Res>, 'target' | 'accepts' | 'judge' | 'protocols'> {
  /** What stands before one instance. @param name of the instance, for messages */
  readonly filters: (name: string) => readonly FilterEntry<Req, Res>[];
  readonly connect: ClusterOptions<Req, Res>['connect'];
}

/** All instances of a target behind one endpoint, each behind its filters. */
export function clusterFor<Req, Res>(
  { filters, connect, ...shape }: ClusterShape<Req, Res>,
  options: ClientOptions,
  { network: _network, fast: _fast, zone, clusters, ...process }: ClientRuntime,
): Cluster<Req, Res> {
  const name = 'service' in shape.target ? shape.target.service : shape.target.contract;
  const code = { ...options.balance, ...(options.pick && { pick: options.pick }) };
  const cluster = createCluster<Req, Res>({
    ...process,
    ...shape,
    ...(clusters?.settingsFor(name, code) ?? code),
    ownZone: zone,
    connect: (address, instance, report) => {
      const around = filters(`${instance.identity.service} at ${formatHostPort(address)}`);
      return composeEndpoint(
        around.map(({ filter }) => filter),
        connect(address, instance, report),
      );
    },
  });
  return clusters ? listed(cluster, clusters.add(name, cluster, code)) : cluster;
}

/** Leaves the list of the process when it is closed. */
function listed<Req, Res>(cluster: Cluster<Req, Res>, leave: () => void): Cluster<Req, Res> {
  const { close } = cluster;
  cluster.close = () => {
    leave();
    return close.call(cluster);
  };
  return cluster;
}

function operationName(info: OperationInfo | undefined): string {
  return info ? `${info.contract}.${info.operation}` : 'unknown';
}

function notStarted(contract: AnyContract): FlotillaError {
  return new FlotillaError(
    'UNAVAILABLE',
    `a client of contract "${contract.name}" was used while its service does not run; call it from a handler, or after run()`,
  );
}
