import { type Cluster, type ClusterOptions, createCluster, type LiveSetCache } from '@flotilla/balance';
import {
  type Call,
  type Clock,
  compose,
  composeEndpoint,
  errorRow,
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
import {
  errorFromResponse,
  type HttpNetwork,
  type HttpRequest,
  type HttpResponse,
  isRepeatable,
  mountAt,
  readBody,
} from '@flotilla/http';
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
import { type AnyContract, type Client, createClient, operationAttribute } from '@flotilla/rpc';
import { observe } from '@flotilla/telemetry';
import { type Copy, onlyCopy, PerCopy } from './copies.ts';

/** What a client may be told. Everything has a default: a client without options is protected already. */
export interface ClientOptions extends PartialSettings {
  /** The service to call. Default: whichever registered that it serves the contract. */
  readonly service?: string;
  /** How an instance is chosen. Default `least-loaded`: the better of two random ones, by calls in flight. */
  readonly pick?: 'round-robin' | 'least-loaded';
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
  options: ClientOptions,
  runtime: ClientRuntime,
): ConnectedClient<C> {
  const target: Target = options.service === undefined ? { contract: contract.name } : { service: options.service };
  const cluster = clusterFor(
    { target, protocols: ['http', 'https'], accepts: serves(contract, options) },
    options,
    runtime,
  );
  cluster.start(); // known before the first call needs it
  const client = createClient(contract, composeEndpoint([chain(target, options, runtime)], cluster), {
    authority: options.service ?? contract.name,
    clock: runtime.clock,
    random: runtime.random,
  });
  return { client, close: () => cluster.close() };
}

/**
 * A stream, of elements or of bytes, may go on for as long as its consumer likes: it only has to begin in time. Both share
 * one retry budget.
 */
function chain(target: Target, options: ClientOptions, runtime: ClientRuntime): Filter<HttpRequest, HttpResponse> {
  const budget = budgetOf(resolveResilience(options));
  const filtersOf = (given: ClientOptions): Filter<HttpRequest, HttpResponse>[] =>
    callFilters(target, { ...given, budget }, runtime).map(({ filter }) => filter);
  const forCalls = filtersOf(options);
  const forStreams = filtersOf({ ...options, timeoutMs: Infinity });
  return (next) => {
    const call = compose(forCalls, next);
    const stream = compose(forStreams, next);
    return (request, within) => (within.get(operationAttribute)?.streamed ? stream : call)(request, within);
  };
}

/** What stands between a caller and the cluster, outermost first. */
export function callFilters(
  target: Target,
  options: ClientOptions & RetryOptions<HttpRequest, HttpResponse>,
  { meter, tracer, logger }: Pick<ClientRuntime, 'meter' | 'tracer' | 'logger'>,
  name = (_: HttpRequest, call: Call): string => operationName(call.get(operationAttribute)),
): readonly FilterEntry<HttpRequest, HttpResponse>[] {
  return [
    {
      name: 'observe',
      reason: 'outermost: one span and one sample per call, whatever happens further in',
      filter: observe({ meter, tracer, logger, kind: 'client', name }),
    },
    ...clientFilters<HttpRequest, HttpResponse>({
      repeatable: ({ body }) => isRepeatable(body), // a stream that was read is gone
      ...options,
      meter,
      target: formatTarget(target),
    }),
  ];
}

/** What stands between the cluster, which ejects failing instances, and one of them, outermost first. */
export function connectionFilters(
  name: string,
  options: ClientOptions,
): readonly FilterEntry<HttpRequest, HttpResponse>[] {
  return [
    ...instanceFilters<HttpRequest, HttpResponse>({ ...options, name }).map((entry) => sparingUploads(entry, options)),
    {
      name: 'raisePlatformErrors',
      reason: 'innermost: what an answer says of the work has to reach retry and ejection as an error',
      filter: raisePlatformErrors,
    },
  ];
}

/** Another attempt cannot follow a stream that is being sent, so the one there is may take as long as a whole call. */
function sparingUploads(
  entry: FilterEntry<HttpRequest, HttpResponse>,
  options: ClientOptions,
): FilterEntry<HttpRequest, HttpResponse> {
  if (entry.name !== 'attemptTimeout') return entry;
  const patient = attemptTimeout<HttpRequest, HttpResponse>({ attemptTimeoutMs: resolveResilience(options).timeoutMs });
  const filter: Filter<HttpRequest, HttpResponse> = (next) => {
    const once = patient(next);
    const oneOfSeveral = entry.filter(next);
    return (request, call) => (isRepeatable(request.body) ? oneOfSeveral : once)(request, call);
  };
  return { ...entry, filter };
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
export interface ClusterShape extends Pick<ClusterOptions<HttpRequest, HttpResponse>, 'target' | 'accepts' | 'judge'> {
  readonly protocols: readonly ('http' | 'https')[];
  /** What stands before one instance. Default: {@link connectionFilters}. */
  readonly filters?: typeof connectionFilters;
}

/** All instances of a target behind one endpoint, each behind its filters and below its context path. */
export function clusterFor(
  { filters = connectionFilters, ...shape }: ClusterShape,
  options: ClientOptions,
  runtime: ClientRuntime,
): Cluster<HttpRequest, HttpResponse> {
  const { network, ...process } = runtime;
  return createCluster<HttpRequest, HttpResponse>({
    ...process,
    ...shape,
    pick: options.pick,
    connect: (address, instance) => {
      const around = filters(`${instance.identity.service} at ${formatHostPort(address)}`, options);
      const protocol = address.protocol === 'https' ? 'https' : 'http';
      return composeEndpoint(
        around.map(({ filter }) => filter),
        mountAt(instance, network.connect({ protocol, host: address.host, port: address.port })),
      );
    },
  });
}

/** Answers of a platform error become that error, so that retries and ejection see what the answer says of the work. */
export const raisePlatformErrors: Filter<HttpRequest, HttpResponse> = (next) => async (request, call) => {
  const response = await next(request, call);
  if (response.status < 500) return response;
  const body = await readBody(response.body, maxProblemBytes, call);
  const error = errorFromResponse(response, body);
  if (errorRow(error.code)) throw error;
  return { ...response, body }; // an error of the contract: the client knows its data
};

/** More than this is no error document. */
const maxProblemBytes = 262_144;

function operationName(info: { readonly contract: string; readonly operation: string } | undefined): string {
  return info ? `${info.contract}.${info.operation}` : 'unknown';
}

function notStarted(contract: AnyContract): FlotillaError {
  return new FlotillaError(
    'UNAVAILABLE',
    `a client of contract "${contract.name}" was used while its service does not run; call it from a handler, or after run()`,
  );
}
