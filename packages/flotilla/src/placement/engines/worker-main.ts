import { parentPort, workerData } from 'node:worker_threads';
import { createFileCache } from '@flotilla/balance';
import {
  type Instance,
  nullMeter,
  nullTracer,
  type Registration,
  type Running,
  startAll,
  systemClock,
  systemRandom,
  toFlotillaError,
} from '@flotilla/core';
import { type HttpNetwork, readContext } from '@flotilla/http';
import { rsocketTransport } from '@flotilla/rpc/rsocket';
import { createHealth, createLogger } from '@flotilla/telemetry';
import { appParts } from '../../app.ts';
import { largestBodyBytes } from '../../body-limit.ts';
import { plainTransport } from '../../client.ts';
import { connectDiscovery } from '../../discovery/connect.ts';
import { fastNetwork } from '../../engines/fast-network.ts';
import { logOutput } from '../../engines/log-output.ts';
import type { ServiceConfig } from '../../platform-settings.ts';
import { policiesOf } from '../../process-policies.ts';
import { serviceParts } from '../../start/service-parts.ts';
import type { PlacedConfig } from '../placed-config.ts';
import { openPlacedConfig } from './open-placed-config.ts';
import { loadPlaced } from './placed-app.ts';
import { ThreadListener } from './thread-listener.ts';
import type { FromWorker, ToWorker, WorkerOrders } from './worker-messages.ts';

/** A service in a thread of the process that calls it: connections come over ports, everything else is as in a process. */

const orders = workerData as WorkerOrders;
const parent = parentPort;
if (!parent) throw new TypeError('this module is the main module of a worker');
const tell = (message: FromWorker): void => parent.postMessage(message);

const ground = { clock: systemClock, random: systemRandom };
const logger = createLogger({
  ...orders.log,
  level: () => orders.log.level,
  colors: false,
  write: logOutput(process.stdout),
  clock: systemClock,
  fields: { service: orders.name },
});

let listener: ThreadListener | undefined;
let opened: PlacedConfig | undefined;
let running: Running | undefined;

parent.on('message', (message: ToWorker) => {
  if (message.kind === 'stop') void stop(message.reason);
  else if (listener) listener.serve(message.port);
  else message.port.close();
});

try {
  running = await begin();
  tell({ kind: 'up' });
} catch (thrown) {
  const { code, detail } = toFlotillaError(thrown);
  const own = code === 'INTERNAL' && thrown instanceof Error ? thrown.message : detail;
  tell({ kind: 'failed', code, detail: own });
  parent.close();
}

async function begin(): Promise<Running> {
  const found = await loadPlaced(orders);
  const { app } = found;
  const following = { logger, meter: nullMeter, outdated: () => tell({ kind: 'outdated' }) };
  opened = await openPlacedConfig(found, orders, following);
  const config = opened.now;
  const { network, connector } = fastNetwork({ ...ground, logger });
  const discovery = await connectDiscovery(config.registry, { ...ground, logger, network, zone: config.zone });
  const at = { host: orders.name, port: 80 };
  const maxBodyBytes = largestBodyBytes(appParts(app).bindings, config.maxBodyBytes);
  const listening: HttpNetwork = {
    connect: (target) => network.connect(target),
    async listen(_, handler) {
      const makeCall = ({ headers }: Parameters<typeof handler>[0]) => readContext(headers, ground);
      listener = new ThreadListener({ ...at, clock: systemClock, handler, makeCall, maxBodyBytes });
      return listener;
    },
  };
  const policies = policiesOf(config, { clock: systemClock, meter: nullMeter });
  const parts = serviceParts(app, served(config), {
    ...ground,
    logger,
    meter: nullMeter,
    tracer: nullTracer,
    health: createHealth(),
    policies,
    cache: createFileCache({ directory: config.stateDir, logger }),
    network: listening,
    fast: rsocketTransport(connector, plainTransport({ ...ground, network }), ground),
    bindOf: () => at,
    advertise: () => ({ host: orders.name, reason: 'it is placed in a thread' }),
    discovery: { ...discovery, registrar: { register: (instance) => registered(instance) } },
  });
  const started = await startAll(parts.components, logger);
  opened.follow(policies, (now) => parts.refresh(served(now)));
  return started;
}

/** Without RSocket nobody would serve what comes over the ports. */
function served(config: ServiceConfig<unknown>): ServiceConfig<unknown> {
  return { ...config, transport: 'auto' };
}

/** The process that it is placed in is all that hears of it. */
function registered(first: Instance): Registration {
  let instance: Instance | undefined = first;
  const change = (changed: Partial<Instance>): void => {
    if (!instance) return;
    instance = { ...instance, ...changed, revision: instance.revision + 1 };
    tell({ kind: 'instance', instance });
  };
  tell({ kind: 'instance', instance });
  return {
    announced: Promise.resolve(),
    setStatus: async (status) => change({ status }),
    setWeight: async (weight) => change({ weight }),
    noticed: async () => true,
    async deregister() {
      instance = undefined;
      tell({ kind: 'instance', instance });
    },
  };
}

async function stop(reason: string): Promise<void> {
  await opened?.close();
  await running?.stop(reason);
  parent?.close(); // nothing holds this thread any more
  process.exit(0);
}
