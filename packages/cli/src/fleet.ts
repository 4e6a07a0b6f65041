import { group, integer, loadConfig, map, type Setting, settings, text } from '@flotilla/config';
import { serviceSettings } from 'flotilla/settings';
import { gatewaySettings } from './roots/gateway-settings.ts';
import { registrySettings } from './roots/registry-settings.ts';

/** A service of the fleet, as its part of `flotilla.yaml` says. */
export interface FleetService {
  readonly name: string;
  /** Program, from the folder of the file. */
  readonly run: string;
  readonly instances: number;
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
      instances: integer({ default: 1, min: 1, max: 32 }),
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
    services: Object.entries(values.services).map(([service, { run, instances, port }]) => ({
      name: service,
      run,
      instances,
      port,
    })),
  };
}
