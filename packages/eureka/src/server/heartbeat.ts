import type { Lease } from '@flotilla/registry';
import { listedStatus } from '../instance.ts';

/**
 * What a heartbeat means (`InstanceResource#renewLease`):
 *
 * | verdict | when | a client gets | a peer gets |
 * |---|---|---|---|
 * | `alive` | the sender holds what is listed, or does not say what it holds | 200 | 200 |
 * | `outdated` | the sender holds an older registration | 200 | 409 and what is listed |
 * | `register` | the sender holds a newer one, or is listed as UNKNOWN: it has to register | 404 | 404 |
 */
export type HeartbeatVerdict = 'alive' | 'outdated' | 'register';

/** @param dirty the `lastDirtyTimestamp` that the sender holds. */
export function judgeHeartbeat({ instance, declaredIncarnation }: Lease, dirty: number | undefined): HeartbeatVerdict {
  if (listedStatus(instance) === 'UNKNOWN') return 'register';
  if (dirty === undefined || dirty === declaredIncarnation) return 'alive';
  return dirty > declaredIncarnation ? 'register' : 'outdated';
}
