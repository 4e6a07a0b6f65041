import { settings } from '@flotilla/config';
import { formatHostPort } from '@flotilla/core';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { type HttpListener, routesHandler } from '@flotilla/http';
import { assertRegistryExposure, createFileStore, createRegistry, registryRoutes } from '@flotilla/registry/server';
import { type ProcessSources, runProcess } from 'flotilla';
import { registrySettings } from './registry-settings.ts';

/** A registry holds one connection per watcher and per renewing client. */
const limits = { maxConnections: 100_000, maxConnectionsPerAddress: 50_000 };

/** The registry process: our own API and Eureka's on one port. */
export function runRegistry(sources: ProcessSources): Promise<void> {
  return runProcess(
    {
      name: 'registry',
      schema: settings(registrySettings),
      section: ['registry'],
      limits,
      async build(config, { network, clock, random, logger, meter }) {
        const users = Object.entries(config.users).map(([name, user]) => ({ name, ...user }));
        assertRegistryExposure(config.bind, users);
        const registry = createRegistry({
          clock,
          random,
          logger,
          meter,
          ...(config.snapshotFile === ''
            ? undefined
            : { store: createFileStore({ file: config.snapshotFile, logger }) }),
        });
        const access = users.length > 0 ? { users } : {};
        let listener: HttpListener | undefined;
        return {
          components: [
            registry,
            {
              name: 'listener',
              async start() {
                const handler = routesHandler([...registryRoutes(registry, access), ...eurekaRoutes(registry, access)]);
                listener = await network.listen({ host: config.bind, port: config.port }, handler);
              },
              stop: async () => listener?.drain(config.drainMs),
            },
          ],
          url: () => `http://${formatHostPort({ host: config.bind, port: listener?.port ?? 0 })}`,
          inHand: () => (listener && listener.connections > 0 ? `${listener.connections} connections` : ''),
        };
      },
    },
    sources,
  );
}
