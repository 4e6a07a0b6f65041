/** Our registry as `flotilla registry` runs it: our own API, the status page and Eureka's, durable, with metrics. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Logger, nullLogger, Secret, systemClock, systemRandom } from '@flotilla/core';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { createRegistry, fileStore, registryRoutes, statusRoutes } from '@flotilla/registry/server';
import { prometheusMeter } from '@flotilla/telemetry';
import { metricSum } from '../calls/fleet.ts';
import { serveHarness } from '../harness/program.ts';

const [user = ''] = process.argv.slice(2);
/** As at level error: nothing of what is measured may fail unheard. */
const logger: Logger = { ...nullLogger, error: (message, fields) => console.error(message, fields) };
const foundation = { clock: systemClock, random: systemRandom, logger };
const meter = prometheusMeter();
const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const registry = createRegistry({ ...foundation, meter, store: fileStore({ path: join(folder, 'state') }) });
const network = nodeNetwork({
  ...foundation,
  limits: { maxConnections: 100_000, maxConnectionsPerAddress: 50_000, maxRequestsPerConnection: Infinity },
});
const [name = '', password = ''] = user.split(':');
const access = user === '' ? {} : { users: [{ name, password: new Secret(password), role: 'operator' as const }] };
await registry.start();
const handler = routesHandler([
  ...registryRoutes(registry, access),
  ...statusRoutes(registry, access),
  ...eurekaRoutes(registry, access),
]);
const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
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
    /** The longest stall since it was asked last. */
    stall: () => {
      const longestMs = delay.max / 1e6;
      delay.reset();
      return { longestMs };
    },
    memory: () => {
      collect();
      return { ...process.memoryUsage(), emptyHeap };
    },
  },
);
