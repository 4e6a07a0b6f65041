import { type Loaded, loadConfig, refreshConfig } from '@flotilla/config';
import { registryClient } from '@flotilla/registry/client';
import { createHealth } from '@flotilla/telemetry';
import { configSchemaOf, type PlatformConfig, type RunningService, type ServiceConfig, startService } from 'flotilla';
import type { AnyApp } from '../options.ts';
import type { PartyRuntime, Up } from './party.ts';

/** Where and how a copy of a service runs. */
export interface ServiceNeeds {
  /** Where it listens, on any free port. */
  readonly host: string;
  readonly registry: string;
  readonly settings: unknown;
  /** Platform keys, as they stand in `flotilla.yaml`. */
  readonly config: Partial<PlatformConfig>;
}

/** One copy of a service that takes calls. */
export interface RunningCopy extends Pick<RunningService, 'instance' | 'url' | 'why'> {
  /** Takes in other settings of its own. @throws FlotillaError CONFIG_INVALID */
  configure(settings: unknown): void;
}

/** Starts one copy of an application. */
export async function beginService(
  app: AnyApp,
  runtime: PartyRuntime,
  { host, registry, settings, config }: ServiceNeeds,
): Promise<Up<RunningCopy>> {
  const schema = configSchemaOf(app);
  const read = (own: unknown): Loaded<ServiceConfig<unknown>> => {
    // Nobody waits for a drained instance to be noticed: pushes arrive at once.
    const document = { drainNoticeMs: 0, ...config, bind: host, settings: own ?? {} };
    const file = { name: `the settings of ${app.name}`, text: JSON.stringify(document) };
    return loadConfig(schema, { files: [file] });
  };
  let loaded = read(settings);
  const service = await startService(app, loaded.values, {
    ...runtime,
    bindOf: (bindHost, port) => ({ host: bindHost, port }),
    health: createHealth(),
    discovery: registryClient({ urls: [registry], ...runtime }),
    advertise: () => ({ host, reason: 'a test knows its services by name' }),
  });
  const { instance, url } = service;
  return {
    value: {
      instance,
      url,
      why: (callee) => service.why(callee),
      configure(own) {
        loaded = refreshConfig(schema, loaded, read(own)); // what only a start takes in stays as it is
        service.refresh(loaded.values);
      },
    },
    stop: (reason) => service.stop(reason),
    release: () => service.release(),
  };
}
