import { systemClock, systemRandom } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { createRegistry, registryRoutes } from '@flotilla/registry/server';

/** A registry, empty, whose time stands still at the beginning of 2026, so that its answers are the same in each run. */
export async function openRegistry(): Promise<{ port: number; close(): Promise<void> }> {
  const registry = createRegistry({ clock: new ManualClock(), random: seededRandom(1) });
  await registry.start();
  const network = nodeNetwork({ clock: systemClock, random: systemRandom });
  const handler = routesHandler([...registryRoutes(registry), ...eurekaRoutes(registry)]);
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
  return {
    port: listener.port,
    async close() {
      await Promise.all([registry.stop('the transcript is over'), listener.drain(1_000)]);
    },
  };
}
