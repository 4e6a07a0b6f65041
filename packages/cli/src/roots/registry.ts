import { settings } from '@flotilla/config';
import { type Component, formatHostPort } from '@flotilla/core';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { type HttpListener, routesHandler } from '@flotilla/http';
import type { NodeNetworkOptions } from '@flotilla/http/node';
import { assertRegistryExposure, createRegistry, fileStore, registryRoutes } from '@flotilla/registry/server';
import { type ProcessSources, runProcess } from 'flotilla';
import { ensureFolderOf } from '../engines/folder.ts';
import { registrySettings } from './registry-settings.ts';

/** A registry holds one connection per watcher and per renewing client. */
const network = (): Partial<NodeNetworkOptions> => ({
  limits: { maxConnections: 100_000, maxConnectionsPerAddress: 50_000 },
});

/** The registry process: our own API and Eureka's on one port. */
export function runRegistry(sources: ProcessSources): Promise<void> {
  return runProcess(
    {
      name: 'registry',
      schema: settings(registrySettings),
      section: ['registry'],
      network,
      async build(config, { network, bindOf, clock, random, logger, meter }) {
        const users = Object.entries(config.users).map(([name, user]) => ({ name, ...user }));
        assertRegistryExposure(config.bind, users);
        const registry = createRegistry({
          clock,
          random,
          logger,
          meter,
          ...(config.snapshotFile === '' ? undefined : { store: fileStore({ path: config.snapshotFile, logger }) }),
        });
        const access = users.length > 0 ? { users } : {};
        let listener: HttpListener | undefined;
        const component: Component = {
          name: 'registry',
          async start() {
            if (config.snapshotFile !== '') await ensureFolderOf(config.snapshotFile);
            await registry.start();
            const handler = routesHandler([...registryRoutes(registry, access), ...eurekaRoutes(registry, access)]);
            listener = await network.listen(bindOf(config.bind, config.port), handler);
          },
          async stop(reason) {
            const drained = listener?.drain(config.drainMs); // from here on nobody new comes in
            await registry.stop(reason); // ends the watches, which would hold their connections for ever
            await drained;
          },
        };
        return {
          components: [component],
          url: () => `http://${formatHostPort(listener ?? { host: config.bind, port: config.port })}`,
          inHand: () => (listener && listener.connections > 0 ? `${listener.connections} connections` : ''),
        };
      },
    },
    sources,
  );
}
