import type { PickExplanation } from '@flotilla/balance';
import type { Settings } from '@flotilla/config';
import { type Instance, type Running, startAll } from '@flotilla/core';
import { type App, appParts } from '../app.ts';
import { type ServiceConfig, serviceSchema } from '../platform-settings.ts';
import { serviceParts } from './service-parts.ts';
import type { ServiceRuntime } from './service-runtime.ts';

/** A service that takes calls. */
export interface RunningService {
  readonly instance: Instance;
  readonly url: string;
  /** Takes in what may change while the service runs: its own settings, policies, `weight`, `drainNoticeMs`, `drainMs`. */
  refresh(now: ServiceConfig<unknown>): void;
  /**
   * Leaves well.
   * 1. Readiness says no; the registry learns `draining` and pushes it; callers say that they know, or get `drainNoticeMs`.
   * 2. The instance is deregistered.
   * 3. The listener takes no more; calls in hand get `drainMs` to end, then they are broken with a reason.
   * 4. Clients close, then resources, last opened first.
   */
  stop(reason: string): Promise<void>;
  /** Why the calls of its clients go where they go; see {@link ServiceParts.why}. */
  why(service: string | undefined): readonly PickExplanation[];
  /** Closes clients and resources, and tells nobody: for a test that plays that the process was killed. */
  release(): Promise<void>;
}

/** The configuration of an application: the platform's keys, and its own under `settings`. */
export function configSchemaOf<S>(app: App<S>): Settings<ServiceConfig<S>> {
  return serviceSchema(appParts(app).options.config);
}

/**
 * Starts an application on a runtime: all of it, or nothing. The order is that of {@link serviceParts}.
 * A process of its own uses `run()`; this is for tests, and for several services in one process.
 */
export async function startService<S>(
  app: App<S>,
  config: ServiceConfig<S>,
  runtime: ServiceRuntime,
): Promise<RunningService> {
  const parts = serviceParts(app, config, runtime);
  const running: Running = await startAll(parts.components, runtime.logger);
  return {
    instance: parts.instance(),
    url: parts.url(),
    refresh: (now) => parts.refresh(now),
    stop: (reason) => running.stop(reason),
    release: () => parts.release(),
    why: (service) => parts.why(service),
  };
}
