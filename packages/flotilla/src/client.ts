import {
  type Cluster,
  type ClusterOptions,
  type Clusters,
  createCluster,
  type LiveSetCache,
  type OutlierListener,
  pickWish,
} from '@flotilla/balance';
import {
  type Address,
  type Clock,
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
  type ClientGuard,
  type FilterEntry,
  type GuardedCalls,
  type GuardedOperation,
  Policies,
  type PolicyEvents,
  tell,
} from '@flotilla/resilience';
import {
  type AnyContract,
  type Client,
  createClient,
  httpTransport,
  isRepeatableInput,
  type OperationRequest,
  type OperationResponse,
  operationKinds,
  type RpcTransport,
  sendsMany,
} from '@flotilla/rpc';
import { observe } from '@flotilla/telemetry';
import { clientAnswers, withBatchNumbers } from './answers.ts';
import { assertClientOptions, type ClientOptions, type ContractClientOptions } from './client-options.ts';
import { type Copy, onlyCopy, PerCopy } from './copies.ts';
import { fallbackFilter } from './fallbacks.ts';

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
  /** What protects the calls of this process. Default: every client is by itself, with what its code says. */
  readonly policies?: Policies;
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
  /** Forgets answers that are kept: all, those of an operation, or those to one input. */
  forget(operation?: string, input?: unknown): void;
  /** Lets calls in hand end, then gives up all connections. */
  close(): Promise<void>;
}

/** Declares a client. Calls made before {@link LazyClient.connect} and after the close are refused. */
export function createLazyClient<C extends AnyContract>(contract: C, options: ContractClientOptions<C>): LazyClient {
  const connected = new PerCopy<ConnectedClient<AnyContract>>();
  const method =
    (operation: string): Client<AnyContract>[string] =>
    (...args) => {
      const live = connected.current;
      if (!live) return refused(contract, operation) as never;
      return (live.client[operation] as Client<AnyContract>[string])(...args);
    };
  const client = Object.freeze(
    Object.fromEntries(Object.keys(contract.operations).map((operation) => [operation, method(operation)])),
  );
  connections.set(client, () => connected.current);
  return {
    contract,
    client,
    connect: (runtime, copy = onlyCopy) => connected.set(copy, connectNamed(contract, options, runtime)),
    async close(copy = onlyCopy) {
      await connected.get(copy)?.close();
      connected.delete(copy);
    },
  };
}

/** @throws RangeError saying whose option does not fit: an application has many clients */
function connectNamed<C extends AnyContract>(
  contract: C,
  options: ContractClientOptions<C>,
  runtime: ClientRuntime,
): ConnectedClient<C> {
  try {
    return connectClient(contract, options, runtime);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`the client of contract "${contract.name}" cannot be made: ${why}`, { cause });
  }
}

/** What each declared client is connected by. */
const connections = new WeakMap<object, () => ConnectedClient<AnyContract> | undefined>();

/**
 * Forgets what a client of {@link App.client} keeps of answers: all, those of an operation, or those to one input, whoever
 * asked. After a change of one's own, so that the next look-up sees it. Other processes keep what they have.
 *
 * ```ts
 * await products.rename({ id, name });
 * forgetAnswers(products, 'product', { id });
 * ```
 */
export function forgetAnswers<C extends object>(client: C, operation?: keyof C & string, input?: unknown): void {
  const connection = connections.get(client);
  if (!connection) throw new TypeError('this is no client of an application: make it with app.client()');
  connection()?.forget(operation, input);
}

/** A client outside of any application. It begins to look for its service at once. */
export function connectClient<C extends AnyContract>(
  contract: C,
  options: ContractClientOptions<C>,
  runtime: ClientRuntime,
): ConnectedClient<C> {
  assertClientOptions(contract, options);
  const target: Target = options.service === undefined ? { contract: contract.name } : { service: options.service };
  const authority = options.service ?? contract.name;
  const transport = runtime.fast ?? plainTransport(runtime);
  const policies = runtime.policies ?? new Policies(runtime);
  const guard = policies.client(authority, withBatchNumbers(options));
  const cluster = clusterFor<OperationRequest, OperationResponse>(
    {
      target,
      protocols: transport.protocols,
      accepts: serves(contract, options),
      renewed: () => guard.renew(),
      filters: (name) => connectionFilters(name, guard),
      connect: (address, instance, report) =>
        transport.connect({ address, instance, authority, report, serves: options.serves }),
    },
    options,
    runtime,
  );
  cluster.start(); // known before the first call needs it
  const { events } = policies;
  const answers = clientAnswers({ contract, options, guard, events, meter: runtime.meter });
  const filters = callFilters(target, guard, runtime, { ...typedCalls, sparing: [answers.entry] });
  const instead = fallbackFilter(contract, options.fallback, authority, events);
  const keys = options.hash === undefined ? [] : [pickKeys(options.hash)];
  const around = [...keys, ...(instead ? [instead] : []), ...filters.map(({ filter }) => filter)];
  const client = createClient(contract, composeEndpoint(around, cluster), {
    clock: runtime.clock,
    random: runtime.random,
  });
  return {
    client,
    forget: (operation, input) => answers.forget(operation, input),
    close() {
      policies.release(guard);
      return cluster.close();
    },
  };
}

/** Calls over HTTP, below the context path that an instance may have. */
export function plainTransport({ network, random }: Pick<ClientRuntime, 'network' | 'random'>): RpcTransport {
  return httpTransport(network, { random }, (endpoint, { instance, report }) =>
    composeEndpoint(report ? [askUtilisation(report)] : [], instance ? mountAt(instance, endpoint) : endpoint),
  );
}

/** How the calls of a typed client become filters. */
export const typedCalls: GuardedCalls<OperationRequest, OperationResponse> = {
  operationOf: ({ operation }) => operation.info,
  repeatable: isRepeatableInput,
  prompt: true, // connectionFilters stand within the cluster
};

/** Tells the pick what a call is to be kept by. */
function pickKeys(given: object): Filter<OperationRequest, OperationResponse> {
  const keys = new Map<string, (input: unknown) => string | undefined>(Object.entries(given));
  return (next) => (request, call) => {
    const key = keys.get(request.operation.info.operation)?.(request.input);
    if (key !== undefined) call.set(pickWish, { ...call.get(pickWish), key });
    return next(request, call);
  };
}

/** What stands between a caller and the cluster, outermost first. */
export function callFilters<Req, Res>(
  target: Target,
  guard: ClientGuard,
  { meter, tracer, logger }: Pick<ClientRuntime, 'meter' | 'tracer' | 'logger'>,
  { sparing = [], ...calls }: GuardedCalls<Req, Res> & { readonly sparing?: readonly FilterEntry<Req, Res>[] },
  name: (operation: GuardedOperation) => string = ({ contract, operation }) => `${contract}.${operation}`,
): readonly FilterEntry<Req, Res>[] {
  const { operationOf } = calls;
  const nameOf = remembered(name);
  return [
    {
      name: 'observe',
      reason: 'outermost: one span and one sample per call, whatever happens further in',
      filter: observe({
        meter,
        tracer,
        logger,
        kind: 'client',
        name: (request, call) => nameOf(operationOf(request, call)),
      }),
    },
    ...sparing,
    {
      name: 'policies',
      reason: 'what is configured for the operation, in the order of clientFilters',
      filter: guard.callFilter<Req, Res>({ ...calls, meter, target: formatTarget(target) }),
    },
  ];
}

/** Makes each name once: a text that was just joined has to be hashed anew wherever it is looked up. */
function remembered(name: (operation: GuardedOperation) => string): (operation: GuardedOperation) => string {
  const names = new WeakMap<GuardedOperation, string>();
  return (operation) => {
    const known = names.get(operation);
    if (known !== undefined) return known;
    const made = name(operation);
    names.set(operation, made);
    return made;
  };
}

/** What stands between the cluster, which ejects failing instances, and one of them, outermost first. */
export function connectionFilters(
  name: string,
  guard: ClientGuard,
): readonly FilterEntry<OperationRequest, OperationResponse>[] {
  return guard.instanceFilters(name, typedCalls, isSentOnce);
}

/** Another attempt cannot follow a stream that is being sent. */
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
  extends Pick<ClusterOptions<Req, Res>, 'target' | 'accepts' | 'renewed' | 'judge' | 'protocols'> {
  /** What stands before one instance. @param name of the instance, for messages */
  readonly filters: (name: string) => readonly FilterEntry<Req, Res>[];
  readonly connect: ClusterOptions<Req, Res>['connect'];
}

/** All instances of a target behind one endpoint, each behind its filters. */
export function clusterFor<Req, Res>(
  { filters, connect, ...shape }: ClusterShape<Req, Res>,
  options: Pick<ClientOptions, 'pick' | 'balance'>,
  { network: _network, fast: _fast, zone, clusters, ...process }: ClientRuntime,
): Cluster<Req, Res> {
  const name = 'service' in shape.target ? shape.target.service : shape.target.contract;
  const code = { ...options.balance, ...(options.pick && { pick: options.pick }) };
  const cluster = createCluster<Req, Res>({
    ...process,
    ...shape,
    ...(clusters?.settingsFor(name, code) ?? code),
    ownZone: zone,
    outliers: process.policies && outlierEvents(name, process.policies.events, process.clock),
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

/** Ejections stand in the stream of what policies decide. */
function outlierEvents(service: string, events: PolicyEvents, clock: Clock): OutlierListener {
  const instance = (address: Address): string => `${service} at ${formatHostPort(address)}`;
  return {
    ejected: (address, forMs, timesEjected) =>
      tell(events, clock, 'balance', 'ejected', instance(address), undefined, { forMs, timesEjected }),
    readmitted: (address) => tell(events, clock, 'balance', 'readmitted', instance(address), undefined),
    panicked: (up, ejected) => tell(events, clock, 'balance', 'panicked', service, undefined, { up, ejected }),
  };
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

/** As any failure of a call: a promise rejects, and a stream fails where it is read. */
function refused(contract: AnyContract, operation: string): Promise<never> | AsyncIterable<never> {
  const error = new FlotillaError(
    'UNAVAILABLE',
    `a client of contract "${contract.name}" was used while its service does not run; call it from a handler, or after run()`,
  );
  const spec = contract.operations[operation];
  if (!spec || operationKinds[spec.kind].response === 'one') return Promise.reject(error);
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}
