/** Our registry as `flotilla registry` runs it: our own API, the status page and Eureka's, durable, with metrics. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Logger, nullLogger, Secret, systemClock, systemRandom } from '@flotilla/core';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import {
  ClientMeter,
  createAccess,
  createRegistry,
  fileStore,
  type RegistryStore,
  registryRoutes,
  statusRoutes,
} from '@flotilla/registry/server';
import { prometheusMeter } from '@flotilla/telemetry';
import { metricSum } from '../calls/fleet.ts';
import { serveHarness } from '../harness/program.ts';
import type { OurSettings } from './servers.ts';
import { StallWatch } from './stall-watch.ts';

const { user = '', saveDelayMs, deltaRetentionMs } = JSON.parse(process.argv[2] ?? '{}') as OurSettings;
/** As at level error: nothing of what is measured may fail unheard. */
const logger: Logger = { ...nullLogger, error: (message, fields) => console.error(message, fields) };
const foundation = { clock: systemClock, random: systemRandom, logger };
const meter = prometheusMeter();
const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const stalls = new StallWatch();
const store = fileStore({ path: join(folder, 'state') });
const watchedStore: RegistryStore = {
  get crowded() {
    return store.crowded;
  },
  load: () => store.load(),
  append: (change) => store.append(change),
  flush: () => store.flush(),
  save: (draft) => stalls.during('save', () => store.save(draft)),
  close: () => store.close(),
};
const registry = createRegistry({
  ...foundation,
  clock: stalls.clock(systemClock),
  meter,
  store: watchedStore,
  ...(saveDelayMs === undefined ? undefined : { saveDelayMs }),
});
const network = nodeNetwork({
  ...foundation,
  limits: { maxConnections: 100_000, maxConnectionsPerAddress: 50_000, maxRequestsPerConnection: Infinity },
});
const [name = '', password = ''] = user.split(':');
const users = user === '' ? undefined : [{ name, password: new Secret(password), role: 'operator' as const }];
/** One client is the whole fleet here: as whoever runs a load generator sets it. */
const plenty = { perSecond: 1_000_000, burst: 1_000_000 };
const limits = { renewal: plenty, change: plenty, read: plenty, list: plenty };
const access = createAccess({ users, meter: new ClientMeter(limits) });
await registry.start();
const handler = routesHandler([
  ...registryRoutes(registry, { access }),
  ...statusRoutes(registry, { access }),
  ...eurekaRoutes(registry, { access, ...(deltaRetentionMs === undefined ? undefined : { deltaRetentionMs }) }),
]);
const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
collect();
const emptyHeap = process.memoryUsage().heapUsed;

serveHarness(
  { port: listener.port },
  {
    count: async () => ({
      instances: registry.size,
      renewals: await metricSum(meter, 'flotilla_registry_renewals_total'),
      registrations: await metricSum(meter, 'flotilla_registry_registrations_total'),
      failedSaves: await metricSum(meter, 'flotilla_registry_save_failures_total'),
      connections: listener.connections,
    }),
    /** The longest stalls since it was asked last. */
    stall: () => stalls.take(),
    memory: () => {
      collect();
      return { ...process.memoryUsage(), emptyHeap };
    },
  },
);
