import { type Component, FlotillaError, type Store } from '@flotilla/core';
import { createSharedRateLimiter } from '@flotilla/resilience';
import { openConfiguredStore } from '../command-memory.ts';
import type { ProtectedRuntime } from './service-runtime.ts';

/** The store that the configuration names, from the start to the stop. One that the runtime brings is closed by its owner. */
export function storeOf(
  service: string,
  url: string,
  runtime: ProtectedRuntime,
): { readonly component: Component; readonly store: () => Store } {
  let opened: Store | undefined = runtime.store;
  const component: Component = {
    name: 'store',
    async start() {
      opened ??= await openConfiguredStore(url, runtime);
      const { clock, logger, policies } = runtime;
      policies.sharedLimits.countBy(
        createSharedRateLimiter({ store: opened, clock, logger, name: `limit:${service}` }),
      );
    },
    async stop() {
      if (opened !== runtime.store) await opened?.close();
    },
  };
  return {
    component,
    store() {
      if (!opened) throw new FlotillaError('UNAVAILABLE', 'the store is not open yet');
      return opened;
    },
  };
}
