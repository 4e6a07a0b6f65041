import type { Instance } from '@flotilla/core';

/** Nacos has two switches where others have a status: the server's or owner's view of health, and an operator's. */
export interface NacosSwitches {
  readonly healthy: boolean;
  readonly enabled: boolean;
}

/** | healthy | enabled | status | override | — the owner's word is down or up, the operator's is out-of-service or none. */
export function readSwitches({ healthy, enabled }: NacosSwitches): Pick<Instance, 'status' | 'override'> {
  return { status: healthy ? 'up' : 'down', ...(enabled ? undefined : { override: 'out-of-service' }) };
}

/**
 * Nobody is given an instance that is disabled or not healthy. Who leaves is disabled and stays healthy: below its
 * protection threshold Nacos hands out unhealthy instances, but never disabled ones.
 */
export function writeSwitches({ status, override }: Pick<Instance, 'status' | 'override'>): NacosSwitches {
  if (override !== undefined) {
    const serves = override === 'up';
    return { healthy: serves || status === 'up', enabled: serves };
  }
  if (status === 'draining' || status === 'out-of-service') return { healthy: true, enabled: false };
  return { healthy: status === 'up', enabled: true };
}
