import { isDeepStrictEqual } from 'node:util';
import { effectiveStatus, type Instance, type InstanceStatus, type LeaseTerms } from '@flotilla/core';
import type { RegistryLimits } from './limits.ts';
import type { Moment } from './moment.ts';

/**
 * An instance's right to be listed until {@link expiresAt}.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | live: before `expiresAt` | being listed | renewed, changed, lapsed, deregistered |
 * | lapsed: from `expiresAt` on | being listed while self-preservation holds it | renewed (live again), evicted |
 *
 * The functions below are its steps: what was and what happened in, what is now out. They touch nothing.
 */
export interface Lease {
  /** What is listed: the owner's word with the operator's override. */
  readonly instance: Instance;
  /** The incarnation as the owner gave it; differs from the instance's where that lay too far in the future. */
  readonly declaredIncarnation: number;
  /** Monotonic; `Infinity` for an instance without lease terms. */
  readonly expiresAt: number;
  /** Wall time of the last registration. */
  readonly registeredAt: number;
  /** Wall time of the last sign of life. */
  readonly renewedAt: number;
  /** Wall time of the last change of what is listed. */
  readonly changedAt: number;
  /** Wall time at which it was first listed as up; 0 before. */
  readonly upAt: number;
  /** The principal that registered it: nobody but it may renew, change or end it. Absent: nobody's. */
  readonly owner?: string;
}

/** A step's result: the lease as it is now, and whether what is listed changed. */
export interface LeaseStep {
  readonly lease: Lease;
  readonly changed: boolean;
}

/** What else is known of an instance that registers. */
export interface RegisteredBefore {
  /** The incarnation with which it went, where it was here before. */
  readonly ended?: KnownIncarnation | undefined;
  /** What the owner gave, where another registry tells of an instance whose incarnation was raised there. */
  readonly declaredIncarnation?: number;
  /** How long ago its owner was heard, where another registry tells of it. Default 0: now, by ourselves. */
  readonly heardAgoMs?: number;
  /** The principal whose lease it becomes, unless it is somebody's already. */
  readonly owner?: string;
}

/** The part of the limits that single leases are judged by. */
export type LeaseBounds = Pick<
  RegistryLimits,
  'shortestRenewalMs' | 'longestRenewalMs' | 'shortestLeaseMs' | 'longestLeaseMs' | 'futureIncarnationMs'
>;

/**
 * The owner registers. A new lease, unless a higher incarnation is known: then that one stays and is renewed. An
 * operator's override outlives a registration; `incoming.override` counts only where there is none.
 */
export function register(
  existing: Lease | undefined,
  incoming: Instance,
  moment: Moment,
  bounds: LeaseBounds,
  { ended, declaredIncarnation = incoming.incarnation, heardAgoMs = 0, owner }: RegisteredBefore = {},
): LeaseStep {
  const heard: Moment = { at: moment.at - heardAgoMs, wallAt: moment.wallAt - heardAgoMs };
  const known = existing ?? ended;
  const incarnation =
    declaredIncarnation === incoming.incarnation
      ? believedIncarnation(known, declaredIncarnation, moment, bounds)
      : believedIncarnation(undefined, incoming.incarnation, moment, bounds);
  if (existing && existing.instance.incarnation > incarnation)
    return { lease: owned(heardAgoMs === 0 ? prolong(existing, moment) : existing, owner), changed: false };
  const instance: Writable<Instance> = { ...incoming, incarnation, revision: existing?.instance.revision ?? 0 };
  if (incoming.lease) instance.lease = clampTerms(incoming.lease, bounds);
  const override = existing?.instance.override;
  if (override !== undefined) instance.override = override;
  if (existing) keepParts(existing.instance, instance);
  const changed = !existing || !isSame(existing.instance, instance);
  const lease: Writable<Lease> = {
    instance,
    declaredIncarnation,
    // What another registry heard earlier takes nothing away from what was heard here since.
    expiresAt: later(heardAgoMs > 0 ? existing?.expiresAt : undefined, expiryOf(instance, heard)),
    registeredAt: moment.wallAt,
    renewedAt: later(heardAgoMs > 0 ? existing?.renewedAt : undefined, heard.wallAt),
    changedAt: changed || !existing ? moment.wallAt : existing.changedAt,
    upAt: upSince(existing?.upAt ?? 0, instance, moment),
  };
  const heir = existing?.owner ?? owner;
  if (heir !== undefined) lease.owner = heir;
  return { lease, changed };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * What `next` says again is the same object as before: what is listed and what was listed hold it once, and whoever looks
 * for changes sees at once that there are none.
 */
function keepParts(known: Instance, next: Writable<Instance>): void {
  if (isSameFlat(known.identity, next.identity)) next.identity = known.identity;
  if (isSameList(known.addresses, next.addresses)) next.addresses = known.addresses;
  if (isSameList(known.contracts, next.contracts)) next.contracts = known.contracts;
  if (known.calls && next.calls && isSameList(known.calls, next.calls)) next.calls = known.calls;
  if (known.lease && next.lease && isSameFlat(known.lease, next.lease)) next.lease = known.lease;
  if (isSameFlat(known.metadata, next.metadata)) next.metadata = known.metadata;
}

function isSameList<T extends object>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, place) => isSameFlat(item, other[place] as T));
}

/** Of objects that hold no others; the order of members counts. */
function isSameFlat<T extends object>(one: T, other: T): boolean {
  const names = Object.keys(one) as (keyof T)[];
  const others = Object.keys(other);
  if (names.length !== others.length) return false;
  for (let at = 0; at < names.length; at++) {
    const name = names[at] as keyof T;
    if (name !== others[at] || one[name] !== other[name]) return false;
  }
  return true;
}

/** Nearly all that register again say something new, and with it a higher incarnation: that is seen without a look at the rest. */
function isSame(one: Instance, other: Instance): boolean {
  return one.incarnation === other.incarnation && one.status === other.status && isDeepStrictEqual(one, other);
}

/**
 * The owner gives a sign of life.
 * @param incarnation what the owner holds, if it says so.
 * @returns undefined when the owner holds a newer incarnation than is known: it has to register.
 */
export function renew(existing: Lease, moment: Moment, incarnation?: number): Lease | undefined {
  if (incarnation !== undefined && incarnation > existing.declaredIncarnation) return undefined;
  return prolong(existing, moment);
}

/**
 * The owner says that its status changed; that is a sign of life too. Word of an incarnation lower than the known one
 * comes from a past life of the owner and changes nothing.
 */
export function setStatus(
  existing: Lease,
  status: InstanceStatus,
  moment: Moment,
  bounds: LeaseBounds,
  incarnation: number = existing.declaredIncarnation,
): LeaseStep {
  const believed = believedIncarnation(existing, incarnation, moment, bounds);
  if (believed < existing.instance.incarnation) return { lease: existing, changed: false };
  const instance = { ...existing.instance, status, incarnation: believed };
  return restate({ ...prolong(existing, moment), declaredIncarnation: incarnation }, instance, moment);
}

/** An operator takes an instance out or puts it in, or takes that word back (undefined). No sign of life. */
export function setOverride(existing: Lease, override: InstanceStatus | undefined, moment: Moment): LeaseStep {
  return restate(existing, withOverride(existing.instance, override), moment);
}

/** A lease lapses at its exact expiry. */
export function hasLapsed(lease: Lease, moment: Moment): boolean {
  return moment.at >= lease.expiresAt;
}

/** The same lease with time that its owner had no chance to use given back. */
export function extend(lease: Lease, extraMs: number): Lease {
  return { ...lease, expiresAt: lease.expiresAt + extraMs };
}

/** The same lease with a full term from now on, for nobody knows how long its owner could not be heard. */
export function restartTerm(lease: Lease, moment: Moment): Lease {
  return { ...lease, expiresAt: Math.max(lease.expiresAt, expiryOf(lease.instance, moment)) };
}

/** What is known of an incarnation: as its owner gave it, and as it counts. */
export type KnownIncarnation = Pick<Lease, 'declaredIncarnation'> & {
  readonly instance: Pick<Instance, 'incarnation'>;
};

/** The incarnation with which an instance went, as the known one; `declaredIncarnation` where its owner gave another. */
export function endedAt(
  ended: { readonly incarnation: number; readonly declaredIncarnation?: number } | undefined,
): KnownIncarnation | undefined {
  if (!ended) return undefined;
  const { incarnation, declaredIncarnation = incarnation } = ended;
  return { declaredIncarnation, instance: { incarnation } };
}

/**
 * The incarnation that counts: the owner's, or now for one that lies too far in the future. What its owner gives as newer
 * than what is known counts as newer, also when our own clock went back and everybody's time is the future.
 */
export function believedIncarnation(
  known: KnownIncarnation | undefined,
  declared: number,
  moment: Moment,
  { futureIncarnationMs }: Pick<LeaseBounds, 'futureIncarnationMs'>,
): number {
  // The same word twice is no newer incarnation, however the clock has moved on.
  if (known?.declaredIncarnation === declared) return known.instance.incarnation;
  const believed = declared > moment.wallAt + futureIncarnationMs ? moment.wallAt : declared;
  if (!known || declared < known.declaredIncarnation) return believed;
  return Math.max(believed, known.instance.incarnation + 1);
}

/** Terms within the bounds; a lease is never shorter than its renewal. */
export function clampTerms({ renewEveryMs, lastsMs }: LeaseTerms, bounds: LeaseBounds): LeaseTerms {
  const lasts = clamp(lastsMs, bounds.shortestLeaseMs, bounds.longestLeaseMs);
  const renewal = clamp(renewEveryMs, bounds.shortestRenewalMs, bounds.longestRenewalMs);
  return { renewEveryMs: Math.min(renewal, lasts), lastsMs: lasts };
}

function restate(existing: Lease, instance: Instance, moment: Moment): LeaseStep {
  if (isSame(existing.instance, instance)) return { lease: existing, changed: false };
  const upAt = upSince(existing.upAt, instance, moment);
  // Later than the registration, however soon it comes: that is how a change is told from it.
  const changedAt = Math.max(moment.wallAt, existing.registeredAt + 1);
  return { lease: { ...existing, instance, changedAt, upAt }, changed: true };
}

function prolong(existing: Lease, moment: Moment): Lease {
  return { ...existing, expiresAt: expiryOf(existing.instance, moment), renewedAt: moment.wallAt };
}

function expiryOf({ lease }: Instance, { at }: Moment): number {
  return lease ? at + lease.lastsMs : Infinity;
}

function later(known: number | undefined, heard: number): number {
  return known === undefined ? heard : Math.max(known, heard);
}

function owned(lease: Lease, owner: string | undefined): Lease {
  return owner === undefined || lease.owner !== undefined ? lease : { ...lease, owner };
}

function upSince(upAt: number, instance: Instance, { wallAt }: Moment): number {
  return upAt === 0 && effectiveStatus(instance) === 'up' ? wallAt : upAt;
}

function withOverride(instance: Instance, override: InstanceStatus | undefined): Instance {
  const { override: _, ...owned } = instance;
  return override === undefined ? owned : { ...owned, override };
}

function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(Math.max(value, lowest), highest);
}
