import { eurekaRoutes } from '@flotilla/eureka/server';
import { routesHandler } from '@flotilla/http';
import { createRegistry, type Registry, type RegistryOptions, registryRoutes } from '@flotilla/registry/server';
import type { PartyRuntime, Up } from './party.ts';

/** How the registry of a fleet runs. Its state is in memory: after a restart it is empty, and warms up. */
export type RegistryNeeds = Pick<RegistryOptions, 'limits' | 'store' | 'saveDelayMs' | 'warmingMs'>;

/** A registry that listens. */
export interface RunningRegistry {
  readonly registry: Registry;
  readonly port: number;
}

/** Our own API and Eureka's on one port, as `flotilla registry start` has it. */
export async function beginRegistry(
  { network, ...runtime }: PartyRuntime,
  address: { readonly host: string; readonly port: number },
  needs: RegistryNeeds,
): Promise<Up<RunningRegistry>> {
  const registry = createRegistry({ ...runtime, ...needs });
  await registry.start();
  const handler = routesHandler([...registryRoutes(registry), ...eurekaRoutes(registry)]);
  const listener = await network.listen(address, handler);
  return {
    value: { registry, port: listener.port },
    async stop(reason) {
      const drained = listener.drain(0);
      await registry.stop(reason); // ends the watches, which would hold their connections
      await drained;
    },
  };
}
