import { group, integer, loadConfig, map, type Setting, settings, text } from '@flotilla/config';
import { serviceSettings } from 'flotilla/settings';
import { gatewaySettings } from './roots/gateway-settings.ts';
import { registrySettings } from './roots/registry-settings.ts';

/** A service of the fleet, as its part of `flotilla.yaml` says. */
export interface FleetService {
  readonly name: string;
  /** Program, from the folder of the file. */
  readonly run: string;
  /** Processes of it. 0: it runs in those that it is placed in, and nowhere else. */
  readonly instances: number;
  /** Services that are placed in each process of it, or in a thread of that. */
  readonly placed: readonly string[];
  /** 0: any free one. */
  readonly port: number;
}

/** What `flotilla dev` starts. */
export interface Fleet {
  readonly name: string;
  readonly registryPort: number;
  readonly gatewayPort: number;
  readonly gatewayBind: string;
  /** The gateway's routes, from the folder of the file. */
  readonly routes: string;
  readonly services: readonly FleetService[];
}

/** A service's own settings are read by the service itself, which knows their schema. */
const anything: Setting<unknown> = { jsonSchema: {}, required: false, read: (value) => value };

const fleetSchema = settings({
  fleet: text({ default: 'fleet', maxLength: 100, describe: 'name of the whole, for people' }),
  registry: group(registrySettings),
  gateway: group(gatewaySettings),
  services: map(
    group({
      ...serviceSettings,
      run: text({ describe: 'program of the service' }),
      instances: integer({ optional: true, min: 1, max: 32 }),
      settings: anything,
    }),
  ),
});

/**
 * Reads a fleet.
 * @param name of the file, for messages.
 * @throws FlotillaError CONFIG_INVALID naming every mistake with its line.
 */
export function readFleet(name: string, document: string): Fleet {
  const { values } = loadConfig(fleetSchema, { files: [{ name, text: document }] });
  return {
    name: values.fleet,
    registryPort: values.registry.port,
    gatewayPort: values.gateway.port,
    gatewayBind: values.gateway.bind,
    routes: values.gateway.routes,
    services: servicesOf(values.services),
  };
}

/** What counts of a service's part of the file. */
interface ServicePart {
  readonly run: string;
  readonly instances: number | undefined;
  readonly port: number;
  readonly placement: Readonly<Record<string, string>>;
}

/** A service that is placed in another one has no process of its own, unless its part says how many. */
function servicesOf(parts: Readonly<Record<string, ServicePart>>): FleetService[] {
  const services = Object.entries(parts).map(([name, { run, instances, port, placement }]) => {
    const placed = Object.keys(placement).filter((one) => placement[one] !== 'remote');
    return { name, run, instances, port, placed };
  });
  const placedAnywhere = new Set(services.flatMap(({ placed }) => placed));
  // Who is only placed itself places nobody: of two that place each other, both are processes.
  const hosts = services.filter(({ name, instances }) => instances !== undefined || !placedAnywhere.has(name));
  const placedInHosts = new Set(hosts.flatMap(({ placed }) => placed));
  return services.map((service) => ({
    ...service,
    instances: service.instances ?? (placedInHosts.has(service.name) ? 0 : 1),
  }));
}
