import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import {
  type ConfigFile,
  type ConfigSchema,
  type FileFollower,
  followFiles,
  type Loaded,
  loadConfig,
  readConfigFiles,
  readSecretFiles,
} from '@flotilla/config';
import {
  type Clock,
  type Component,
  FlotillaError,
  formatHostPort,
  type Logger,
  type Meter,
  nodeVersionProblem,
  nullTracer,
  type ProcessPort,
  type Random,
  type Running,
  startAll,
  superviseProcess,
  systemClock,
  systemRandom,
  type Tracer,
} from '@flotilla/core';
import { type Bind, type HttpListener, type HttpNetwork, isLoopback } from '@flotilla/http';
import { inheritedSockets, type NodeNetworkOptions, openTls } from '@flotilla/http/node';
import type { Policies } from '@flotilla/resilience';
import { NodeLoad } from '@flotilla/resilience/node';
import type { RSocketConnector } from '@flotilla/rpc/rsocket';
import {
  assertManagementExposure,
  createHealth,
  createLogger,
  type Health,
  type ManagementCredentials,
  managementHandler,
  otelTracer,
  prometheusMeter,
} from '@flotilla/telemetry';
import * as opentelemetry from '@opentelemetry/api';
import type { PlatformConfig, ProcessConfig } from '../platform-settings.ts';
import { assertPolicies, policiesOf } from '../process-policies.ts';
import { fastNetwork } from './fast-network.ts';
import { LiveConfig } from './live-config.ts';
import { logOutput } from './log-output.ts';
import { keepObjectsYoung } from './young-objects.ts';

/** What every process of a fleet has. */
export interface ProcessRuntime {
  readonly network: HttpNetwork;
  /** Connections for calls over RSocket. */
  readonly connector: RSocketConnector;
  /** Where to listen: the address, or the listening socket that systemd handed over (`LISTEN_FDS`) instead. */
  readonly bindOf: (host: string, port: number) => Bind;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly health: Health;
  /** What protects the calls that it makes and takes. */
  readonly policies: Policies;
  /** Where the management port listens. */
  readonly management: { readonly host: string; readonly port: number };
  /** The interfaces of this machine, for choosing an address that others can reach. */
  readonly interfaces: ReturnType<typeof networkInterfaces>;
}

/** What one kind of process adds. */
export interface ProcessParts<C> {
  /** Started in order, stopped in reverse. */
  readonly components: readonly Component[];
  /** What it serves, once it is up. */
  url(): string;
  /** More for `/info` on the management port. */
  info?(): object;
  /** Why its calls go where they go, for `/why` on the management port. @throws FlotillaError NO_ROUTE */
  why?(service: string | undefined): unknown;
  /** Calls and streams that ending at once would lose: "3 calls". Empty: nothing. */
  inHand(): string;
  /** Takes in a configuration that changed while the process runs; keys marked `restart` are as they were. Must not throw. */
  refresh?(now: C, before: C): void;
}

/** A kind of process: a service, the registry, the gateway. */
export interface ProcessSpec<C extends ProcessConfig, P extends ProcessParts<C> = ProcessParts<C>> {
  readonly name: string;
  readonly schema: ConfigSchema<C>;
  /** Its part of `flotilla.yaml`. */
  readonly section: readonly string[];
  /** Whether what it serves is encrypted wherever `tls.cert` is set. Default: only with `tls.serve`. */
  readonly servesTls?: boolean;
  /** What of its network is not the default: limits, or whom to believe about a call. */
  readonly network?: (
    needs: { readonly clock: Clock; readonly random: Random },
    config: C,
  ) => Partial<NodeNetworkOptions>;
  /** Contracts that the management port describes. */
  readonly contracts?: unknown;
  /** What it serves as OpenAPI, for the management port. @param url where it serves; undefined before it does */
  readonly openapi?: (url: string | undefined) => { readonly document: unknown; readonly mediaType: string };
  /** What its configuration says of policies. Default: nothing. */
  readonly policies?: (config: C) => Pick<PlatformConfig, 'clients'> & Partial<Pick<PlatformConfig, 'server'>>;
  /** A last look at a configuration before it counts, at the start and later. @throws FlotillaError CONFIG_INVALID. */
  readonly check?: (config: C) => void;
  readonly build: (config: C, runtime: ProcessRuntime) => Promise<P>;
}

/** Where a process takes its configuration from. */
export interface ProcessSources {
  /** Default: the arguments of this process. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: `flotilla.yaml` in the working directory, if it is there. */
  readonly files?: readonly string[];
}

/** Variables with our prefix that are not configuration: the supervisor of `flotilla dev` sets them. */
const reserved: readonly string[] = ['FLOTILLA_SUPERVISED', 'FLOTILLA_TEST_DATA'];

/**
 * Runs a process until a signal ends it.
 * 1. An old Node is refused. The configuration is read; all its mistakes are reported at once.
 * 2. The management port opens, so that health can be asked while the rest starts.
 * 3. The components start, all or none; then readiness says yes.
 * 4. A change of a configuration file is taken in (see {@link LiveConfig}).
 * 5. SIGTERM or SIGINT drains and stops them in reverse; a second one ends at once and says what was lost.
 *
 * What keeps it from starting is logged with what to do next, and the exit code is 1.
 */
export async function runProcess<C extends ProcessConfig>(
  spec: ProcessSpec<C>,
  sources: ProcessSources = {},
): Promise<void> {
  keepObjectsYoung();
  const outdated = nodeVersionProblem(process.versions.node);
  process.stderr.on('error', () => {}); // warnings of Node that nobody reads any more are no crash
  try {
    if (outdated !== undefined) throw new FlotillaError('START_FAILED', outdated);
    const load = () => loadProcessConfig<C>(spec, sources);
    const { running, parts, management, logger } = await openProcess(spec, load, sources);
    const { inHand } = parts;
    superviseProcess(running, { process: supervisedProcess(), clock: systemClock, logger, inHand });
    announce(spec.name, parts.url(), management, logger);
  } catch (thrown) {
    reportFailure(spec.name, thrown);
  }
}

/**
 * The configuration of a process from its file section, environment and flags. A file that was asked for has to be there;
 * `flotilla.yaml` need not.
 * @param below what the files win over, if anything.
 */
export async function loadProcessConfig<C>(
  spec: Pick<ProcessSpec<ProcessConfig & C>, 'schema' | 'section'>,
  sources: ProcessSources = {},
  below: readonly ConfigFile[] = [],
): Promise<Loaded<C>> {
  const { args = process.argv.slice(2), env = process.env, files = usualFiles() } = sources;
  const read: ConfigFile[] = await readConfigFiles(files);
  return loadConfig(spec.schema, {
    files: [...below, ...read.map((file) => ({ ...file, at: spec.section }))],
    env,
    flags: args,
    reserved,
    secretFiles: await readSecretFiles(env),
  });
}

const usualFile = 'flotilla.yaml';

/** Where configuration is looked for, when nobody says. */
export function usualFiles(): readonly string[] {
  return [usualFile].filter(existsSync);
}

/** Did `flotilla dev` start this process? Whatever it did not start is production. */
export function isDevelopment(): boolean {
  return process.env['FLOTILLA_SUPERVISED'] === '1';
}

/** Files that `FLOTILLA_…_FILE` names. */
function secretFilePaths({ env = process.env }: ProcessSources): string[] {
  const named = Object.entries(env).filter(([name]) => /^FLOTILLA_\w+_FILE$/.test(name));
  return named.flatMap(([, path]) => path ?? []);
}

/** @param policies of the process, once it has some */
function checkConfig<C extends ProcessConfig>(spec: ProcessSpec<C>, config: C, policies?: Policies): void {
  assertManagementExposure(config.management.bind, credentialsOf(config));
  assertPolicies(spec.policies?.(config) ?? {}, policies);
  spec.check?.(config);
}

/** A process that is up. */
export interface OpenProcess<P> {
  /** Stops the components, then the management port. */
  readonly running: Running;
  readonly parts: P;
  readonly management: { readonly host: string; readonly port: number };
  readonly logger: Logger;
}

/**
 * Reads the configuration, opens the management port, then everything else, and follows the configuration's files. On
 * failure nothing stays open. Signals are the caller's affair.
 */
export async function openProcess<C extends ProcessConfig, P extends ProcessParts<C>>(
  spec: ProcessSpec<C, P>,
  load: () => Promise<Loaded<C>>,
  sources: ProcessSources,
): Promise<OpenProcess<P>> {
  // Followed before they are read: a change between the two is not missed, and counts once everything is up.
  const live = Promise.withResolvers<LiveConfig<C>>();
  const files = [...(sources.files ?? [usualFile]), ...secretFilePaths(sources)];
  const follower = await followFiles(files, systemClock, async () => (await live.promise).refresh());
  try {
    const loaded = await load();
    checkConfig(spec, loaded.values);
    const { config, ...opened } = await openParts(spec, loaded, load, follower);
    live.resolve(config);
    return opened;
  } catch (thrown) {
    await follower.close();
    throw thrown;
  }
}

async function openParts<C extends ProcessConfig, P extends ProcessParts<C>>(
  spec: ProcessSpec<C, P>,
  loaded: Loaded<C>,
  load: () => Promise<Loaded<C>>,
  follower: FileFollower,
): Promise<OpenProcess<P> & { readonly config: LiveConfig<C> }> {
  const meter = prometheusMeter();
  let config: LiveConfig<C> | undefined;
  const now = (): C => config?.now ?? loaded.values;
  const logger = processLogger(spec.name, now);
  config = new LiveConfig({
    schema: spec.schema,
    loaded,
    load,
    check: (values) => checkConfig(spec, values, policies),
    outdated: () => void process.send?.({ flotilla: 'outdated' }),
    logger,
    meter,
  });
  const health = createHealth();
  const foundation = { clock: systemClock, random: systemRandom, logger };
  const { tls: tlsOptions } = config.now;
  if (tlsOptions.serve && tlsOptions.cert === undefined) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      '"tls.serve" needs "tls.cert" and "tls.key": a listener shows a certificate',
    );
  }
  const tls =
    tlsOptions.cert === undefined && tlsOptions.ca === undefined && tlsOptions.key === undefined
      ? undefined
      : await openTls(tlsOptions, { clock: systemClock, logger, meter });
  const { network, connector } = fastNetwork({ ...foundation, tls, ...spec.network?.(foundation, config.now) });
  const busyness = new NodeLoad();
  const policies = policiesOf(
    { clients: {}, server: {}, ...spec.policies?.(config.now) },
    { ...foundation, meter, load: busyness },
  );
  const servesTls = tlsOptions.serve || (spec.servesTls === true && tlsOptions.cert !== undefined);
  const [inherited] = inheritedSockets(process.env, process.pid).values();
  let parts: P | undefined;
  const management = managementPort(spec, config, { network, meter, health, logger, policies, parts: () => parts });
  await management.component.start();
  try {
    parts = await spec.build(config.now, {
      ...foundation,
      network,
      connector,
      bindOf: (host, port) => ({ ...(inherited === undefined ? { host, port } : { fd: inherited }), tls: servesTls }),
      meter,
      tracer: tracesAreCollected() ? otelTracer(opentelemetry) : nullTracer,
      health,
      policies,
      management: management.address(),
      interfaces: networkInterfaces(),
    });
    const started = health.register({
      name: 'start',
      check: () => ({ ready: false, reason: 'not everything is up yet' }),
    });
    const running = await startAll(parts.components, logger);
    started();
    const opened = parts;
    config.onChange((values, before) => opened.refresh?.(values, before));
    const stop = async (reason: string): Promise<void> => {
      await follower.close();
      health.drain();
      await running.stop(reason);
      policies.events.close(); // whoever follows them comes to an end
      await management.component.stop(reason);
      busyness.close();
      tls?.close();
    };
    let stopping: Promise<void> | undefined;
    return {
      running: {
        stop(reason) {
          stopping ??= stop(reason);
          return stopping;
        },
      },
      parts,
      management: management.address(),
      logger,
      config,
    };
  } catch (thrown) {
    await management.component.stop('start failed');
    busyness.close();
    tls?.close();
    throw thrown;
  }
}

/** Whether an OpenTelemetry SDK was registered before the start (`node --import`): without one, spans go nowhere. */
function tracesAreCollected(): boolean {
  const span = opentelemetry.trace.getTracer('flotilla').startSpan('start');
  span.end();
  return opentelemetry.isSpanContextValid(span.spanContext());
}

function processLogger(name: string, now: () => ProcessConfig): Logger {
  const { log } = now();
  const pretty = log.format === 'pretty' || (log.format === 'auto' && process.stdout.isTTY);
  return createLogger({
    level: () => now().log.level,
    format: pretty ? 'pretty' : 'json',
    colors: process.stdout.isTTY === true,
    write: logOutput(process.stdout),
    clock: systemClock,
    fields: { service: name },
  });
}

function managementPort<C extends ProcessConfig>(
  spec: ProcessSpec<C>,
  config: LiveConfig<C>,
  {
    network,
    meter,
    health,
    logger,
    policies,
    parts,
  }: Pick<ProcessRuntime, 'network' | 'health' | 'logger' | 'policies'> & {
    readonly meter: ReturnType<typeof prometheusMeter>;
    readonly parts: () => ProcessParts<C> | undefined;
  },
): { readonly component: Component; readonly address: () => { readonly host: string; readonly port: number } } {
  const { bind, port } = config.now.management;
  const { openapi } = spec;
  let open: HttpListener | undefined;
  return {
    address() {
      if (!open) throw new FlotillaError('START_FAILED', 'the management port is not open yet');
      return { host: bind, port: open.port };
    },
    component: {
      name: 'management port',
      async start() {
        const handler = managementHandler({
          health,
          meter,
          logger,
          host: bind,
          config: () => config.origins,
          info: () => ({ name: spec.name, node: process.versions.node, pid: process.pid, ...parts()?.info?.() }),
          contracts: () => spec.contracts ?? [],
          why: (service) => parts()?.why?.(service) ?? [],
          ...(spec.policies && {
            policies: () => shownPolicies(policies, spec.policies?.(config.now)),
            events: policies.events,
          }),
          ...(openapi && { openapi: () => ({ ...openapi(parts()?.url()), url: parts()?.url() }) }),
          credentials: () => credentialsOf(config.now),
        });
        open = await network.listen({ host: bind, port }, handler);
      },
      stop: async () => open?.drain(1_000),
    },
  };
}

/** Limits of what it serves are shown by who has them. */
function shownPolicies(policies: Policies, config: object | undefined): object {
  const { server, ...view } = policies.view();
  return config && 'server' in config ? { ...view, server } : view;
}

function credentialsOf({ management: { user, password } }: ProcessConfig): ManagementCredentials | undefined {
  return user !== undefined && password ? { user, password } : undefined;
}

/**
 * Under a supervisor the stop comes over the channel to it. Ctrl-C reaches every process of a terminal, so here it is
 * left to the supervisor; a SIGTERM counts, and the supervisor's word after it says nothing new.
 */
export function supervisedProcess(): ProcessPort {
  if (!isDevelopment()) return process;
  process.on('SIGINT', () => {});
  return {
    on(event: string, listener: (thrown: unknown) => void) {
      if (event === 'SIGTERM') onStop(() => listener(event));
      else if (event !== 'SIGINT') process.on(event, listener);
    },
    exit: (code) => process.exit(code),
  };
}

function onStop(listener: () => void): void {
  let asked = false;
  process.on('SIGTERM', () => {
    asked = true;
    listener();
  });
  process.on('message', (message: unknown) => {
    const told =
      typeof message === 'object' && message !== null && 'flotilla' in message && message.flotilla === 'stop';
    if (!told || asked) return;
    asked = true;
    listener();
  });
}

export function announce(
  name: string,
  url: string,
  management: { readonly host: string; readonly port: number },
  logger: Logger,
): void {
  const managementUrl = `http://${formatHostPort(management)}`;
  logger.info('serving', { url, management: managementUrl, ...loopbackHint(url) });
  process.send?.({ flotilla: 'serving', name, url, managementUrl });
}

function loopbackHint(url: string): { readonly note?: string } {
  const { hostname } = new URL(url);
  return isLoopback(hostname) ? { note: 'only this machine can reach it; set "bind" to open it' } : {};
}

function reportFailure(name: string, thrown: unknown): void {
  const error = thrown instanceof FlotillaError ? thrown : undefined;
  const message = error?.message ?? (thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  process.stderr.write(`${name} could not start.\n${message}\n`);
  process.exitCode = 1;
  // Whoever only lets go of the channel would end with 0: a worker that is disconnected thinks that it was told to.
  process.send?.({ flotilla: 'failed', message }, () => process.exit(1));
}
