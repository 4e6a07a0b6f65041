import {
  formatTarget,
  type InstanceSet,
  type Logger,
  type Registrar,
  type Registration,
  type Resolver,
} from '@flotilla/core';
import type { Discovery } from './discovery.ts';
import { mergedSet, nothingSaid, said } from './merge.ts';

/**
 * Several registries as one: an instance is registered in all of them, and a target is looked up in all of them. One that
 * cannot be reached holds nobody up: its client tries on by itself.
 */
export function severalRegistries(registries: readonly Discovery[], logger: Logger): Discovery {
  const registrar: Registrar = {
    register: (instance, documents) =>
      registeredInAll(registries.map((registry) => registry.registrar.register(instance, documents))),
  };
  const resolver: Resolver = {
    watch(target, update) {
      let merged = nothingSaid(registries.length);
      let closed = false;
      const tell = (set: InstanceSet): void => {
        try {
          update(set);
        } catch (cause) {
          logger.error('a listener for instances failed', { target: formatTarget(target), cause });
        }
      };
      const watches = registries.map((registry, index) =>
        registry.resolver.watch(target, (word) => {
          if (closed) return;
          merged = said(merged, index, word);
          tell(mergedSet(merged));
        }),
      );
      return {
        close() {
          closed = true;
          for (const watch of watches) watch.close();
        },
      };
    },
  };
  return {
    resolver,
    registrar,
    async contractText(contract, call) {
      for (const registry of registries) {
        const text = await registry.contractText?.(contract, call);
        if (text !== undefined) return text;
      }
      return undefined;
    },
    async close() {
      await Promise.all(registries.map((registry) => registry.close()));
    },
  };
}

function registeredInAll(registrations: readonly Registration[]): Registration {
  const all = async (each: (registration: Registration) => Promise<void>): Promise<void> => {
    await Promise.all(registrations.map(each));
  };
  return {
    announced: all((registration) => registration.announced),
    setStatus: (status) => all((registration) => registration.setStatus(status)),
    setWeight: (weight) => all((registration) => registration.setWeight(weight)),
    async noticed(limitMs) {
      const heard = await Promise.all(registrations.map((registration) => registration.noticed?.(limitMs) ?? false));
      return heard.every(Boolean);
    },
    deregister: () => all((registration) => registration.deregister()),
  };
}
