import { loadConfig } from '@flotilla/config';
import { registryClient } from '@flotilla/registry/client';
import { createHealth } from '@flotilla/telemetry';
import { configSchemaOf, type PlatformConfig, type RunningService, startService } from 'flotilla';
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

/** Starts one copy of an application. */
export async function beginService(
  app: AnyApp,
  runtime: PartyRuntime,
  { host, registry, settings, config }: ServiceNeeds,
): Promise<Up<RunningService>> {
  // Nobody waits for a drained instance to be noticed: pushes arrive at once.
  const document = { drainNoticeMs: 0, ...config, bind: host, settings: settings ?? {} };
  const { values } = loadConfig(configSchemaOf(app), {
    files: [{ name: `the settings of ${app.name}`, text: JSON.stringify(document) }],
  });
  const service = await startService(app, values, {
    ...runtime,
    bindOf: (bindHost, port) => ({ host: bindHost, port }),
    health: createHealth(),
    discovery: registryClient({ urls: [registry], ...runtime }),
    advertise: () => ({ host, reason: 'a test knows its services by name' }),
  });
  return {
    value: service,
    stop: (reason) => service.stop(reason),
    release: () => service.release(),
  };
}
