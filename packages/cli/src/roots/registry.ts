import { settings } from '@flotilla/config';
import { type Component, formatHostPort } from '@flotilla/core';
import { createPeers } from '@flotilla/eureka/peers';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { type HttpHandler, type HttpListener, routesHandler } from '@flotilla/http';
import type { NodeNetworkOptions } from '@flotilla/http/node';
import {
  assertRegistryExposure,
  createRegistry,
  type EngineState,
  fileStore,
  forThisMachine,
  type RegistryUser,
  registryRoutes,
  type Saving,
  statusRoutes,
} from '@flotilla/registry/server';
import type { HealthState } from '@flotilla/telemetry';
import { type ProcessSources, runProcess } from 'flotilla';
import { ensureFolderOf } from '../engines/folder.ts';
import { engineOf } from './registry-engine.ts';
import { type RegistryConfig, registrySettings } from './registry-settings.ts';

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
      check: (config) => assertRegistryExposure(config.bind, usersOf(config)),
      async build(config, { network, bindOf, clock, random, logger, meter, health }) {
        const engine = await engineOf(config, { clock, random });
        const registry = createRegistry({
          clock,
          random,
          logger,
          meter,
          ...(engine ? { engine } : undefined),
          incompatible: config.incompatibleContracts,
          ...(config.snapshotFile === '' ? undefined : { store: fileStore({ path: config.snapshotFile, logger }) }),
        });
        const peers = createPeers({
          registry,
          network,
          clock,
          random,
          logger,
          meter,
          urls: config.peers,
          myUrl: config.myUrl || undefined,
          requestTimeoutMs: config.peerTimeoutMs,
          startTimeoutMs: config.peerStartTimeoutMs,
        });
        const handlerFor = (now: RegistryConfig): HttpHandler => {
          const users = usersOf(now);
          const access = users.length > 0 ? { users } : {};
          const all = routesHandler([
            ...registryRoutes(registry, access),
            ...statusRoutes(registry, { ...access, peers: () => peers.states }),
            ...eurekaRoutes(registry, { ...access, peers }),
          ]);
          return users.length > 0 ? all : forThisMachine(all);
        };
        let handler = handlerFor(config);
        let drainMs = config.drainMs;
        let listener: HttpListener | undefined;
        const component: Component = {
          name: 'registry',
          async start() {
            if (config.snapshotFile !== '') await ensureFolderOf(config.snapshotFile);
            await registry.start();
            await peers.start(); // before anybody is served: a list without what peers know would be wrong
            health.register({ name: 'snapshot', check: () => snapshotHealth(registry.saving) });
            if (engine) health.register({ name: 'engine', check: () => engineHealth(registry.engine) });
            listener = await network.listen(bindOf(config.bind, config.port), (request, call) =>
              handler(request, call),
            );
          },
          async stop(reason) {
            const drained = listener?.drain(drainMs); // from here on nobody new comes in
            await peers.stop(reason); // tells them what they do not know yet
            await registry.stop(reason); // ends the watches, which would hold their connections for ever
            await drained;
          },
        };
        return {
          components: [component],
          url: () => `http://${formatHostPort(listener ?? { host: config.bind, port: config.port })}`,
          // Who may use it counts from the next request; the watches of who may not any more end.
          refresh(now, before) {
            handler = handlerFor(now);
            registry.endWatches((who) => isSameUser(who, before, now));
            drainMs = now.drainMs;
          },
          inHand: () => (listener && listener.connections > 0 ? `${listener.connections} connections` : ''),
        };
      },
    },
    sources,
  );
}

/** Whether a user is as before; without users everybody is "anybody". */
function isSameUser(who: string, before: RegistryConfig, now: RegistryConfig): boolean {
  const [old, user] = [before.users[who], now.users[who]];
  if (!old || !user) return Object.keys(now.users).length === 0 && Object.keys(before.users).length === 0;
  return old.role === user.role && old.password.reveal() === user.password.reveal();
}

/** Without services, a user speaks for the one that bears its name. */
function usersOf({ users }: RegistryConfig): RegistryUser[] {
  return Object.entries(users).map(([name, { services, contracts, ...user }]) => ({
    name,
    ...user,
    ...(services.length > 0 ? { services } : undefined),
    ...(contracts.length > 0 ? { contracts } : undefined),
  }));
}

/** A registry that cannot save still serves: it is ready, and says what is wrong. */
function snapshotHealth({ failing }: Saving): HealthState {
  if (!failing) return { ready: true };
  return { ready: true, reason: `not saved since ${new Date(failing.since).toISOString()}: ${failing.reason}` };
}

/** A registry whose engine is away still serves what it knows: it is ready, and says what is wrong. */
function engineHealth(engine: EngineState | undefined): HealthState {
  if (!engine || engine.state === 'together') return { ready: true };
  const since = new Date(engine.since).toISOString();
  return { ready: true, reason: `${engine.name} not reached since ${since}: ${engine.reason ?? 'no answer yet'}` };
}
