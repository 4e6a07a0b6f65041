import { Clusters, type PickExplanation } from '@flotilla/balance';
import { type Component, formatHostPort, type Instance } from '@flotilla/core';
import { type App, appParts } from '../app.ts';
import { type Copy, runInCopy } from '../copies.ts';
import type { ServiceConfig } from '../platform-settings.ts';
import { policiesOf } from '../process-policies.ts';
import { type RepeatedWork, repeatedWork } from '../repeated-work.ts';
import { clientNeeds, clientsComponent } from './clients.ts';
import { discoveryComponent } from './discovery-component.ts';
import { listenerOf, protocolOf } from './listener.ts';
import { refreshSettings, settingsComponent } from './own-settings.ts';
import { registrationOf } from './registration.ts';
import { resourceComponent } from './resource.ts';
import type { ProtectedRuntime, ServiceRuntime } from './service-runtime.ts';
import { storeOf } from './shared-store.ts';

/** The parts of a service that can be started. */
export interface ServiceParts {
  /** Started in order, stopped in reverse. */
  readonly components: readonly Component[];
  /** The registered instance. Throws before it is registered. */
  instance(): Instance;
  /** What it serves. Throws before it listens. */
  url(): string;
  /** Calls that ending at once would lose: "3 calls". Empty: none. */
  inHand(): string;
  /** Takes in what may change while the service runs: its own settings, policies, `weight`, `drainNoticeMs`, `drainMs`. */
  refresh(now: ServiceConfig<unknown>): void;
  /**
   * Why the calls of its clients go where they go, of one service or of all.
   * @throws FlotillaError NO_ROUTE when it does not call that service
   */
  why(service: string | undefined): readonly PickExplanation[];
  /** Closes clients and resources, and tells nobody: what a killed process would give back to its machine. */
  release(): Promise<void>;
}

/**
 * What starting an application means, in order.
 * 1. The settings can be read.
 * 2. Resources are opened, in the order in which they were declared.
 * 3. Clients begin to look for their services. The store is opened; one that cannot be reached now is tried again.
 * 4. Repeated work begins its first run.
 * 5. The listener opens.
 * 6. The instance is registered as `up`. A registry that cannot be reached now is tried again, and is no error.
 *
 * It stops in reverse: callers hear that it drains and it is deregistered, calls in hand end, repeated work ends its run, clients
 * and resources close. Each step stands in a file of its own beside this one.
 */
export function serviceParts<S>(app: App<S>, config: ServiceConfig<S>, given: ServiceRuntime): ServiceParts {
  const parts = appParts(app);
  const copy: Copy = {};
  let current = config;
  const policies = given.policies ?? policiesOf(config, given);
  const runtime: ProtectedRuntime = { ...given, policies };
  const now = (): ServiceConfig<S> => current;
  const clusters = new Clusters(config.clients);
  const shared = storeOf(parts.name, config.store, runtime);
  const door = listenerOf(parts, copy, now, runtime, shared.store);
  const listing = registrationOf(parts, now, runtime, door.listener);
  const own = [
    settingsComponent(parts, copy, now),
    ...parts.resources.map((resource) => resourceComponent(resource, copy, config.settings)),
    clientsComponent(parts, copy, now, clientNeeds(config.zone, clusters, runtime), runtime.discovery),
    shared.component,
  ];
  return {
    components: [
      ...own,
      discoveryComponent(runtime),
      ...parts.repeated.map((work) => repeatedComponent(work, copy, runtime)),
      door.component,
      listing.component,
    ],
    instance: listing.instance,
    url: () => `${protocolOf(config, runtime)}://${formatHostPort(door.listener())}`,
    inHand() {
      const calls = door.listener().inFlight;
      return calls === 0 ? '' : `${calls} ${calls === 1 ? 'call' : 'calls'}`;
    },
    refresh(changed) {
      current = changed as ServiceConfig<S>;
      clusters.update(current.clients);
      policies.configure(changed);
      refreshSettings(parts, copy, current.settings, runtime.logger);
      listing.refresh();
    },
    why: (service) => clusters.explain(service),
    async release() {
      for (const component of own.toReversed()) await component.stop('killed');
    },
  };
}

/** Work that repeats itself reads what its own copy has opened. */
function repeatedComponent(work: RepeatedWork, copy: Copy, runtime: ServiceRuntime): Component {
  const component = repeatedWork(work, runtime);
  return { ...component, start: () => runInCopy(copy, () => component.start()) };
}
