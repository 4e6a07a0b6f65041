import { type Call, FlotillaError, type Instance, type Place } from '@flotilla/core';
import type { ConsulApi } from './consul-api.ts';
import { checkIdOf, consulId, encodeConsulInstance, statusOf } from './consul-instance.ts';

/** Keeps instances at an agent: registered, then their checks are told each time that they still pass. */
export function consulPlace(api: ConsulApi): Place {
  const say = (instance: Instance, call: Call): Promise<boolean> => {
    const status = statusOf(instance);
    return api.updateCheck(checkIdOf(consulId(instance)), status, `the instance says: ${instance.status}`, call);
  };
  return {
    async put(instance, call) {
      await api.register(encodeConsulInstance(instance), call);
      // A check that was there keeps the status that it had, whatever the registration says.
      await say(instance, call);
      return { kind: 'kept' };
    },
    async renew(instance, call) {
      try {
        return { kind: (await say(instance, call)) ? 'kept' : 'unknown' };
      } catch (thrown) {
        // Agents before 1.11 answer 500 for a check that they do not know.
        if (thrown instanceof FlotillaError && (thrown.data as { status?: unknown } | undefined)?.status === 500)
          return { kind: 'unknown' };
        throw thrown;
      }
    },
    remove: (instance, call) => api.deregister(consulId(instance), call),
  };
}
