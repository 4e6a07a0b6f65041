import type { Instance, InstanceStatus } from '@flotilla/core';
import { endedAt, type Lease, register, setOverride, setStatus } from '../lease/lease.ts';
import type { RegistryLimits } from '../lease/limits.ts';
import type { Moment } from '../lease/moment.ts';
import type { SavedLease } from '../lease/stored-state.ts';
import type { Operation } from '../server/operations.ts';
import { type Kept, keyOfKept } from './record-text.ts';

/** What was said to this node of an instance, in a form that can be said again on top of what others wrote meanwhile. */
export type LocalChange =
  | { readonly kind: 'registered'; readonly instance: Instance }
  | { readonly kind: 'statusSet'; readonly status: InstanceStatus; readonly incarnation: number }
  | { readonly kind: 'overrideSet'; readonly override: InstanceStatus | undefined }
  | { readonly kind: 'deregistered'; readonly incarnation: number };

/** @returns undefined for a renewal, which changes nothing. */
export function changeOf({ kind, lease }: Operation): LocalChange | undefined {
  const { instance, declaredIncarnation } = lease;
  if (kind === 'registered') return { kind, instance: { ...instance, incarnation: declaredIncarnation } };
  if (kind === 'statusSet') return { kind, status: instance.status, incarnation: declaredIncarnation };
  if (kind === 'overrideSet') return { kind, override: instance.override };
  if (kind === 'deregistered') return { kind, incarnation: instance.incarnation };
  return undefined;
}

/** The changes with one more; of each kind only the last one counts. */
export function withChange(changes: readonly LocalChange[], change: LocalChange): readonly LocalChange[] {
  return [...changes.filter(({ kind }) => kind !== change.kind), change];
}

/** What is kept once these changes are said on top of it. Saying them twice changes nothing more. */
export function rebase(
  kept: Kept | undefined,
  changes: readonly LocalChange[],
  moment: Moment,
  limits: RegistryLimits,
): Kept | undefined {
  let result = kept;
  for (const change of changes) result = step(result, change, moment, limits);
  return result;
}

function step(kept: Kept | undefined, change: LocalChange, moment: Moment, limits: RegistryLimits): Kept | undefined {
  if (change.kind === 'registered') return registered(kept, change.instance, moment, limits);
  if (!kept || 'gone' in kept) return kept;
  const lease = asLease(kept.lease);
  if (change.kind === 'statusSet')
    return saved(setStatus(lease, change.status, moment, limits, change.incarnation).lease);
  if (change.kind === 'overrideSet') return saved(setOverride(lease, change.override, moment).lease);
  const { incarnation } = lease.instance;
  // The farewell meant the life that this node knew; a later one came to another node meanwhile.
  if (change.incarnation < incarnation) return kept;
  return { gone: { ...keyOfKept(kept), incarnation, reason: 'deregistered', until: moment.wallAt } };
}

function registered(
  kept: Kept | undefined,
  incoming: Instance,
  moment: Moment,
  limits: RegistryLimits,
): Kept | undefined {
  if (kept && 'lease' in kept) {
    const { override: _, ...owned } = incoming;
    // An operator's word on the newest record stands, whatever this node knew of it.
    return saved(register(asLease(kept.lease), owned, moment, limits).lease);
  }
  const stone = kept?.gone;
  const tooOld =
    stone &&
    (stone.reason === 'deregistered'
      ? incoming.incarnation <= stone.incarnation
      : incoming.incarnation < stone.incarnation);
  if (tooOld) return kept;
  const override = stone?.override ?? incoming.override;
  const instance = { ...incoming, ...(override ? { override } : undefined) };
  return saved(register(undefined, instance, moment, limits, { ended: endedAt(stone?.incarnation) }).lease);
}

function asLease(lease: SavedLease): Lease {
  return { ...lease, expiresAt: Infinity };
}

function saved({ expiresAt: _, ...lease }: Lease): Kept {
  return { lease };
}
