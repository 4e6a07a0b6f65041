import { networkInterfaces } from 'node:os';
import { type FileFollower, followFiles, type Loaded } from '@flotilla/config';
import {
  FlotillaError,
  type Logger,
  nodeVersionProblem,
  nullTracer,
  type Running,
  startAll,
  superviseProcess,
  systemClock,
  systemRandom,
} from '@flotilla/core';
import { inheritedSockets, openTls, type TlsFiles } from '@flotilla/http/node';
import type { Policies } from '@flotilla/resilience';
import { NodeLoad } from '@flotilla/resilience/node';
import { assertManagementExposure, createHealth, createLogger, otelTracer, prometheusMeter } from '@flotilla/telemetry';
import * as opentelemetry from '@opentelemetry/api';
import type { ProcessConfig } from '../../platform-settings.ts';
import { assertPolicies, policiesOf } from '../../process-policies.ts';
import { fastNetwork } from '../fast-network.ts';
import { LiveConfig } from '../live-config.ts';
import { logOutput } from '../log-output.ts';
import { keepObjectsYoung } from '../young-objects.ts';
import { credentialsOf, managementPort } from './management-port.ts';
import { followedFiles, loadProcessConfig, type ProcessSources } from './process-config.ts';
import type { ProcessParts, ProcessSpec } from './process-spec.ts';
import { announce, reportFailure, supervisedProcess, tellOutdated } from './supervised.ts';

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
  const follower = await followFiles(followedFiles(sources), systemClock, async () => (await live.promise).refresh());
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
    outdated: tellOutdated,
    logger,
    meter,
  });
  const health = createHealth();
  const foundation = { clock: systemClock, random: systemRandom, logger };
  const tls = await tlsOf(config.now, { clock: systemClock, logger, meter });
  const { network, connector } = fastNetwork({ ...foundation, tls, ...spec.network?.(foundation, config.now) });
  const busyness = new NodeLoad();
  const policies = policiesOf(
    { clients: {}, server: {}, ...spec.policies?.(config.now) },
    { ...foundation, meter, load: busyness },
  );
  const { serve, cert } = config.now.tls;
  const servesTls = serve || (spec.servesTls === true && cert !== undefined);
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

/** Certificates as the configuration names them; undefined: none. @throws FlotillaError CONFIG_INVALID */
async function tlsOf({ tls }: ProcessConfig, needs: Parameters<typeof openTls>[1]): Promise<TlsFiles | undefined> {
  if (tls.serve && tls.cert === undefined) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      '"tls.serve" needs "tls.cert" and "tls.key": a listener shows a certificate',
    );
  }
  if (tls.cert === undefined && tls.ca === undefined && tls.key === undefined) return undefined;
  return openTls(tls, needs);
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
