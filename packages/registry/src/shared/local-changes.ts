import type { Instance, InstanceStatus } from '@flotilla/core';
import {
  believedIncarnation,
  endedAt,
  type KnownIncarnation,
  type Lease,
  register,
  setOverride,
  setStatus,
} from '../lease/lease.ts';
import type { RegistryLimits } from '../lease/limits.ts';
import type { Moment } from '../lease/moment.ts';
import type { SavedLease, SavedTombstone } from '../lease/stored-state.ts';
import type { Operation } from '../server/operations.ts';
import { type Kept, keyOfKept } from './record-text.ts';

/** What was said to this node of an instance, in a form that can be said again on top of what others wrote meanwhile. */
export type LocalChange =
  | {
      readonly kind: 'registered';
      /** With the incarnation that its owner gave. */
      readonly instance: Instance;
      /** The incarnation that counts, where that is higher: a later life whose owner gives all its lives the same. */
      readonly countsAs?: number;
    }
  | { readonly kind: 'statusSet'; readonly status: InstanceStatus; readonly incarnation: number }
  | { readonly kind: 'overrideSet'; readonly override: InstanceStatus | undefined }
  | ({ readonly kind: 'deregistered' } & Ended);

/** The incarnation with which an instance went: the one that counts, and what its owner gave where that is another. */
export type Ended = Pick<SavedTombstone, 'incarnation' | 'declaredIncarnation'>;

/** @returns undefined for a renewal, which changes nothing. */
export function changeOf({ kind, lease }: Operation): LocalChange | undefined {
  const { instance, declaredIncarnation } = lease;
  if (kind === 'registered') return registrationOf(lease);
  if (kind === 'statusSet') return { kind, status: instance.status, incarnation: declaredIncarnation };
  if (kind === 'overrideSet') return { kind, override: instance.override };
  if (kind === 'deregistered') return { kind, ...endOf(lease) };
  return undefined;
}

/** What its owner would say to have this lease. */
export function registrationOf({ instance, declaredIncarnation }: Omit<Lease, 'expiresAt'>): LocalChange {
  const countsAs = instance.incarnation > declaredIncarnation ? { countsAs: instance.incarnation } : undefined;
  return { kind: 'registered', instance: { ...instance, incarnation: declaredIncarnation }, ...countsAs };
}

export function endOf({ instance: { incarnation }, declaredIncarnation }: KnownIncarnation): Ended {
  return { incarnation, ...(declaredIncarnation === incarnation ? undefined : { declaredIncarnation }) };
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
  if (change.kind === 'registered') return registered(kept, change, moment, limits);
  if (!kept || 'gone' in kept) return kept;
  const lease = asLease(kept.lease);
  if (change.kind === 'statusSet')
    return saved(setStatus(lease, change.status, moment, limits, change.incarnation).lease);
  if (change.kind === 'overrideSet') return saved(setOverride(lease, change.override, moment).lease);
  // The farewell meant the life that this node knew; a later one came to another node meanwhile.
  if (change.incarnation < lease.instance.incarnation) return kept;
  const { kind: reason, ...ended } = change;
  return { gone: { ...keyOfKept(kept), ...ended, reason, until: moment.wallAt } };
}

function registered(
  kept: Kept | undefined,
  { instance, countsAs = instance.incarnation }: LocalChange & { kind: 'registered' },
  moment: Moment,
  limits: RegistryLimits,
): Kept | undefined {
  const told = { declaredIncarnation: instance.incarnation };
  if (kept && 'lease' in kept) {
    const { override: _, ...owned } = instance;
    // An operator's word on the newest record stands, whatever this node knew of it.
    return saved(register(asLease(kept.lease), { ...owned, incarnation: countsAs }, moment, limits, told).lease);
  }
  const stone = kept?.gone;
  const ended = endedAt(stone);
  const believed =
    countsAs > instance.incarnation ? countsAs : believedIncarnation(ended, instance.incarnation, moment, limits);
  const tooOld =
    stone && (stone.reason === 'deregistered' ? believed <= stone.incarnation : believed < stone.incarnation);
  if (tooOld) return kept;
  const override = stone?.override ?? instance.override;
  const incoming = { ...instance, incarnation: countsAs, ...(override ? { override } : undefined) };
  return saved(register(undefined, incoming, moment, limits, { ...told, ended }).lease);
}

function asLease(lease: SavedLease): Lease {
  return { ...lease, expiresAt: Infinity };
}

function saved({ expiresAt: _, ...lease }: Lease): Kept {
  return { lease };
}
