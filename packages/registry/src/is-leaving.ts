import { effectiveStatus, type Instance } from '@flotilla/core';

/** Whether callers were told to stop picking it: who takes it out waits until they have. */
export function isLeaving(instance: Instance): boolean {
  const status = effectiveStatus(instance);
  return status === 'draining' || status === 'out-of-service';
}
