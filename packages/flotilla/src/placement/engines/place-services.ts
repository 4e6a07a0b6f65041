import type { Component, Resolver } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';
import type { RpcTransport } from '@flotilla/rpc';
import type { Discovery } from '../../discovery/discovery.ts';
import { tellOutdated } from '../../engines/process/supervised.ts';
import type { ProcessConfig } from '../../platform-settings.ts';
import type { ServiceRuntime } from '../../start/service-runtime.ts';
import { LocalPlaces, type Placement } from '../local-places.ts';
import { localNetwork, localTransport, type PlaceWays } from '../local-transport.ts';
import { type PlacedService, placeInProcess } from '../place-in-process.ts';
import { type GivenSources, sourcesByService } from '../placed-sources.ts';
import { openPlacedConfig } from './open-placed-config.ts';
import { placeInWorker } from './place-in-worker.ts';
import { loadPlaced, moduleOf, type ServiceSource } from './placed-app.ts';

/** What of a process is needed to place services in it. */
export interface PlacingNeeds {
  readonly runtime: Omit<ServiceRuntime, 'discovery' | 'fast' | 'bindOf' | 'advertise'>;
  readonly discovery: Discovery;
  /** How services that are elsewhere are called. */
  readonly transport: RpcTransport;
  /** Configuration files: they say which module a service is, and how it is set. */
  readonly files: readonly string[];
  readonly shared: ServiceSource['shared'];
  /** Flags and variables of the process that are meant for placed services. */
  readonly given: GivenSources;
  readonly log: ProcessConfig['log'];
  /** Whether a service in the process gets copies of payloads. In a thread, everything is copied. */
  readonly copies: boolean;
}

/** Services that run here, and how the rest of the process finds and calls them and all others. */
export interface PlacedServices {
  /** Started before whoever calls them, stopped after. */
  readonly components: readonly Component[];
  readonly resolver: Resolver;
  readonly transport: RpcTransport;
  readonly network: HttpNetwork;
}

/**
 * Places services as the configuration says: `{ catalog: 'process', reviews: 'worker', orders: 'remote' }`. What is not named
 * is remote. Services that are placed in the process find each other there; one in a thread finds others through the registry.
 * @throws FlotillaError CONFIG_INVALID naming the service whose module is not known; START_FAILED
 */
export async function placeServices(
  placement: Readonly<Record<string, Placement>>,
  needs: PlacingNeeds,
): Promise<PlacedServices> {
  const { discovery } = needs;
  const places = new LocalPlaces(discovery.resolver);
  const placed = new Map<string, PlacedService>();
  const ways = new Map<string, PlaceWays>();
  const transport = localTransport(ways, needs.transport);
  const network = localNetwork(ways, needs.runtime.network);
  const runtime = { ...needs.runtime, network };
  const given = sourcesByService(needs.given, placement);
  const inProcess = [...given.keys()].filter((name) => placement[name] === 'process');
  for (const [name, sources] of given) {
    const source = {
      ...{ name, module: moduleOf(name, needs.files), files: needs.files, shared: needs.shared },
      ...sources,
    };
    if (placement[name] === 'worker') {
      places.add(name, 'worker');
      const orders = { ...source, inProcess: [], log: workerLog(needs.log) }; // it finds others through the registry
      placed.set(name, placeInWorker(orders, { runtime, places, outdated: tellOutdated }));
    } else {
      const found = await loadPlaced(source);
      places.add(name, 'process');
      const follow = { logger: runtime.logger, meter: runtime.meter, outdated: tellOutdated };
      const openConfig = () => openPlacedConfig(found, { ...source, inProcess }, follow);
      placed.set(name, placeInProcess(found.app, openConfig, { runtime, places, transport, copies: needs.copies }));
    }
  }
  for (const service of placed.values()) ways.set(service.name, service.ways);
  return {
    components: Array.from(placed.values(), ({ component }) => component),
    resolver: places.resolver,
    transport,
    network,
  };
}

function workerLog({ level, format }: ProcessConfig['log']): { level: typeof level; format: 'pretty' | 'json' } {
  return { level, format: format === 'pretty' || (format === 'auto' && process.stdout.isTTY) ? 'pretty' : 'json' };
}
