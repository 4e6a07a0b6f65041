import { loadConfig } from '@flotilla/config';
import {
  type Clock,
  type Logger,
  nullLogger,
  nullMeter,
  nullTracer,
  type Random,
  systemClock,
  systemRandom,
} from '@flotilla/core';
import { type Bind, routesHandler } from '@flotilla/http';
import { type MemoryNetwork, memoryNetwork } from '@flotilla/http/memory';
import { registryClient } from '@flotilla/registry/client';
import { createRegistry, type Registry, registryRoutes } from '@flotilla/registry/server';
import { createHealth } from '@flotilla/telemetry';
import { type App, appParts } from './app.ts';
import type { Discovery } from './discovery.ts';
import { serviceSchema } from './platform-settings.ts';
import { type RunningService, startService } from './start.ts';

/** How a fleet in memory runs. */
export interface MemoryFleetOptions {
  /** Default: the machine's. With a `ManualClock` nothing happens by time until the test says so. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Settings of each application, by its name. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A fleet in one process: a real registry, real services, and a network that is memory. */
export interface MemoryFleet {
  readonly network: MemoryNetwork;
  readonly registry: Registry;
  readonly services: readonly RunningService[];
  /** For callers that are no application. */
  readonly discovery: Discovery;
  /** Stops the services, last started first, then the registry. */
  stop(): Promise<void>;
}

/**
 * Starts applications against a registry of their own, without a socket.
 *
 * ```ts
 * const fleet = await startInMemory([catalog, order], { clock: new ManualClock() });
 * ```
 */
export async function startInMemory(
  // An application of any settings: they are read by its own schema.
  // biome-ignore lint/suspicious/noExplicitAny: settings stand in an argument, so no other type takes all applications
  apps: readonly App<any>[],
  { clock = systemClock, random = systemRandom, logger = nullLogger, settings = {} }: MemoryFleetOptions = {},
): Promise<MemoryFleet> {
  const network = memoryNetwork({ clock, random });
  const foundation = { network, clock, random, logger, meter: nullMeter, tracer: nullTracer };
  const registry = createRegistry(foundation);
  await registry.start();
  const listener = await network.listen({ host: 'registry', port: 8_761 }, routesHandler(registryRoutes(registry)));
  const discoveries: Discovery[] = [];
  const discover = (): Discovery => {
    const discovery = registryClient({ urls: ['http://registry:8761'], ...foundation });
    discoveries.push(discovery);
    return discovery;
  };
  const services: RunningService[] = [];
  const stop = async (): Promise<void> => {
    for (const service of services.toReversed()) await service.stop('the test is over');
    await Promise.all(discoveries.map((discovery) => discovery.close()));
    await registry.stop('the test is over');
    await listener.drain(0);
  };
  try {
    for (const app of apps) {
      const { name, options } = appParts(app);
      const { values } = loadConfig(serviceSchema(options.config), { files: [memoryConfig(name, settings[name])] });
      const bindOf = (host: string, port: number): Bind => ({ host, port });
      const runtime = { ...foundation, bindOf, health: createHealth(), discovery: discover() };
      const advertise = (): { host: string; reason: string } => ({
        host: name,
        reason: 'memory knows services by name',
      });
      services.push(await startService(app, values, { ...runtime, advertise }));
    }
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { network, registry, services, discovery: discover(), stop };
}

/** Nobody waits for a drained instance to be noticed: pushes arrive at once. */
function memoryConfig(name: string, settings: unknown): { readonly name: string; readonly text: string } {
  return {
    name: 'memory',
    text: JSON.stringify({ bind: name, drainNoticeMs: 0, drainMs: 0, settings: settings ?? {} }),
  };
}
