import { type KeptRegistrar, keptRegistrar, type Place, type Registrar } from '@flotilla/core';
import { isRefusal } from './contact.ts';
import type { SourceLog } from './log.ts';
import type { Moment } from './loop.ts';

/**
 * A registrar that keeps every instance in the same place of a foreign registry.
 * @param parts.requestTimeoutMs one request takes no longer, nor does leaving.
 */
export function sourceRegistrar(
  place: Place,
  { clock, random, log, requestTimeoutMs }: Moment & { log: SourceLog; requestTimeoutMs: number },
): KeptRegistrar {
  return keptRegistrar(() => place, {
    clock,
    random,
    log,
    times: { requestTimeoutMs, leaveTimeoutMs: requestTimeoutMs },
    isRefusal: (error) => error.code === 'INVALID_INPUT' || isRefusal(error),
  });
}

/** A registrar for places where instances are made known by somebody else: it says so, once each, and does nothing. */
export function silentRegistrar(log: SourceLog, reason: string): Registrar {
  return {
    register(instance) {
      log.notRegistered({ service: instance.identity.service, instanceId: instance.id, reason });
      const done = Promise.resolve();
      return { announced: done, setStatus: () => done, setWeight: () => done, deregister: () => done };
    },
  };
}
