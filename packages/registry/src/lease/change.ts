import { formatIdentity, type Instance, type Target } from '@flotilla/core';
import type { Lease } from './lease.ts';

/** Why something is no longer listed: its owner or an operator took it out, its lease lapsed, or it no longer fits the target. */
export type GoneReason = 'deregistered' | 'evicted' | 'changed';

/** One change of what is listed, as the registry keeps it. */
export interface Change {
  /** Rises by one with each change. */
  readonly revision: number;
  /** Text form of the identity: `eu/orders@2`. */
  readonly service: string;
  readonly id: string;
  /** Absent: it was not listed. */
  readonly before?: Instance;
  /** Absent: it is not listed any more. */
  readonly after?: Instance;
  readonly reason: 'registered' | 'updated' | 'deregistered' | 'evicted';
  /** Wall time. */
  readonly changedAt: number;
  /** Monotonic: how long ago it was is told by this one, whatever happens to the wall clock. */
  readonly at: number;
  /** Of what is not listed any more: the lease as it was last. */
  readonly endedLease?: Lease;
}

/** A change as one watcher sees it. */
export type SeenChange =
  | { readonly kind: 'put'; readonly instance: Instance }
  | { readonly kind: 'gone'; readonly service: string; readonly id: string; readonly reason: GoneReason };

/** Whether a target means this instance. `undefined` means everybody. */
export function matches(target: Target | undefined, instance: Instance): boolean {
  if (target === undefined) return true;
  if ('service' in target) return formatIdentity(instance.identity) === target.service;
  return instance.contracts.some(({ name }) => name === target.contract);
}

/** What a watcher of `target` is told of a change; undefined: nothing. */
export function seenBy(target: Target | undefined, change: Change): SeenChange | undefined {
  const { service, id, before, after, reason } = change;
  if (after && matches(target, after)) return { kind: 'put', instance: after };
  if (!before || !matches(target, before)) return undefined;
  return { kind: 'gone', service, id, reason: reason === 'deregistered' || reason === 'evicted' ? reason : 'changed' };
}
