import { isDeepStrictEqual } from 'node:util';
import {
  FlotillaError,
  formatIdentity,
  type Instance,
  type InstanceStatus,
  type Random,
  type Target,
} from '@flotilla/core';
import { type Change, matches } from './change.ts';
import { ChangeLog } from './change-log.ts';
import { LapseQueue } from './lapse-queue.ts';
import {
  believedIncarnation,
  extend,
  type KnownIncarnation,
  type Lease,
  type LeaseStep,
  type RegisteredBefore,
  register,
  renew,
  restartTerm,
  setOverride,
  setStatus,
} from './lease.ts';
import { assumedLeaseMs, type RegistryLimits, tombstoneLeases } from './limits.ts';
import type { Moment } from './moment.ts';
import { ServiceIndex } from './service-index.ts';
import type { PreservedService, ServiceLeases, Slot } from './service-leases.ts';
import type { SavedLease, SavedTombstone, StateDraft, StoredChange, StoredState } from './stored-state.ts';
import { type Tombstone, Tombstones } from './tombstones.ts';

/** Which instance: the text form of its service's identity, and its id. */
export interface InstanceKey {
  readonly service: string;
  readonly id: string;
}

/**
 * What came of a registration.
 *
 * | outcome | means |
 * |---|---|
 * | `registered` | what was sent is listed |
 * | `kept` | a higher incarnation is listed; its lease was renewed |
 * | `stale` | the instance is gone and may only come back with a higher incarnation; nothing is listed |
 */
export type Registered =
  | { readonly outcome: 'registered' | 'kept'; readonly lease: Lease }
  | { readonly outcome: 'stale' /** The one to exceed. */; readonly incarnation: number };

/** What is said of a registration by whoever passes it on. */
export type Told = Omit<RegisteredBefore, 'ended'> & {
  /**
   * Whether its owner, which gives all its lives the same incarnation, may come back with the one with which it went. The
   * new life counts as one higher, so that other registries take it for newer than the farewell. Default false.
   */
  readonly mayReturn?: boolean;
};

/** What came of a sign of life or of word about an instance; `unknown`: register (again). */
export type Found = { readonly outcome: 'known'; readonly lease: Lease } | { readonly outcome: 'unknown' };

/** What a sweep did. */
export interface Sweep {
  readonly evicted: readonly Change[];
  /** Who would have been evicted, where {@link Sweeping.lapsed} is `proposed`. */
  readonly proposed: readonly InstanceKey[];
  /** More than 0: the registry itself stood still that long, so every lease was extended by it and none evicted. */
  readonly extendedMs: number;
  /**
   * More than 0: since the last sweep the wall clock went on that much more than the monotonic one, as after a suspend
   * (`CLOCK_MONOTONIC` does not count it). Renewals may not have arrived, so every lease has a full term from now on.
   */
  readonly jumpMs: number;
  /** Services whose eviction was paused or went on by this sweep. */
  readonly paused: readonly ServiceLeases[];
  readonly resumed: readonly ServiceLeases[];
  /** True: it did as much as may be done at a time, and has to be called again. */
  readonly more: boolean;
}

/** How a sweep is made; by default as a registry that stands alone does. */
export interface Sweeping {
  /**
   * - `evicted`: what may go goes. The default.
   * - `proposed`: what may go is told and stays listed until somebody says `drop`.
   * - `kept`: nobody lapses.
   */
  readonly lapsed?: 'evicted' | 'proposed' | 'kept';
  /** A lease lapses this much later than at its expiry: for renewals that come a detour. Default 0. */
  readonly graceMs?: number;
}

/** What one sweep does at most, so that none holds up its process for more than some milliseconds. */
const mostPerSweep = Object.freeze({ lookedAt: 4_000, extended: 10_000, evicted: 250 });

/** Somebody whose lease lapsed and who may go. */
interface Doomed {
  readonly service: ServiceLeases;
  readonly id: string;
}

/** What became of the services in which something lapsed. */
interface Judged extends Pick<Sweep, 'paused' | 'resumed'> {
  readonly chosen: readonly Doomed[];
}

/**
 * All leases of a registry. Synchronous and without I/O: time comes with each call, randomness at construction, so
 * that the same history gives the same table.
 */
export class LeaseTable {
  readonly #limits: RegistryLimits;
  readonly #random: Random;
  readonly #onChange: (change: Change) => void;
  readonly #services = new ServiceIndex();
  readonly #queue: LapseQueue;
  /** Services in which something lapsed: the only ones that a sweep has to judge. */
  readonly #lapsing = new Set<ServiceLeases>();
  readonly #tombstones: Tombstones;
  /** Lapsed ones that may go, and have not yet. */
  #doomed: Doomed[] = [];
  /** Leases that get longer, and how; until all are, none lapses. */
  #extending: { readonly slots: Iterator<Slot>; readonly longer: (lease: Lease) => Lease } | undefined;
  #log: ChangeLog;
  #longestLeaseMs = assumedLeaseMs;
  /** Wall time less monotonic time, at the last sweep. */
  #wallOffset: number | undefined;

  /** @param onChange called within the step that made the change. */
  constructor(limits: RegistryLimits, random: Random, onChange: (change: Change) => void = () => {}) {
    this.#limits = limits;
    this.#random = random;
    this.#onChange = onChange;
    this.#queue = new LapseQueue(this.#services);
    this.#tombstones = new Tombstones(limits.maxTombstones);
    this.#log = new ChangeLog(limits.maxChanges);
  }

  /** Instances listed. */
  get size(): number {
    return this.#services.size;
  }

  /** Services whose eviction is paused. */
  get preserved(): number {
    let preserved = 0;
    for (const { preservation } of this.#lapsing) if (preservation) preserved++;
    return preserved;
  }

  /** Revision of the last change. */
  get revision(): number {
    return this.#log.newest;
  }

  /** The lowest revision after which all changes are kept. */
  get oldestRevision(): number {
    return this.#log.oldest;
  }

  /** No lease lapses before this instant (monotonic). */
  get nextExpiryAt(): number {
    return this.#queue.nextAt;
  }

  /**
   * @param told of it by others: how long ago its owner was heard, and the principal whose lease it becomes.
   * @throws FlotillaError UNAVAILABLE when the registry is full.
   */
  register(incoming: Instance, moment: Moment, told: Told = {}): Registered {
    const service = formatIdentity(incoming.identity);
    const slot = this.#slot({ service, id: incoming.id });
    return slot
      ? this.#registerAgain(slot, incoming, moment, told)
      : this.#registerNew(service, incoming, moment, told);
  }

  renew(key: InstanceKey, moment: Moment, incarnation?: number): Found {
    const slot = this.#slot(key);
    const lease = slot && renew(slot.lease, moment, incarnation);
    if (!lease) return { outcome: 'unknown' };
    this.#place(slot, lease);
    return { outcome: 'known', lease };
  }

  /** @param incarnation of the owner that says so; lower than the known one: nothing changes. */
  setStatus(key: InstanceKey, status: InstanceStatus, moment: Moment, incarnation?: number): Found {
    return this.#apply(key, moment, (lease) => setStatus(lease, status, moment, this.#limits, incarnation));
  }

  /** @param override undefined takes the operator's word back. */
  setOverride(key: InstanceKey, override: InstanceStatus | undefined, moment: Moment): Found {
    return this.#apply(key, moment, (lease) => setOverride(lease, override, moment));
  }

  /**
   * Takes an instance out.
   * @param incarnation of the owner that says so; lower than the known one: that word came late, nothing changes. For
   * somebody unknown it is remembered: the farewell may have overtaken the registration.
   */
  deregister(key: InstanceKey, moment: Moment, incarnation?: number): Found {
    const slot = this.#slot(key);
    if (!slot) {
      if (incarnation !== undefined)
        this.#bury(key, believedIncarnation(undefined, incarnation, moment, this.#limits), moment);
      return { outcome: 'unknown' };
    }
    const { lease } = slot;
    if (incarnation !== undefined && incarnation < lease.instance.incarnation) return { outcome: 'known', lease };
    this.#remove(slot, 'deregistered', moment);
    // It registered anew at another registry, and left before we heard of it: that is what must not come back.
    if (incarnation !== undefined && incarnation > Math.max(lease.declaredIncarnation, lease.instance.incarnation))
      this.#bury(key, believedIncarnation(lease, incarnation, moment, this.#limits), moment);
    return { outcome: 'known', lease };
  }

  /** How many of a service are listed though their lease lapsed. */
  lapsed(service: string): number {
    return this.#services.get(service)?.lapsed.size ?? 0;
  }

  /**
   * The lapsed instances of a service that self-preservation holds are really gone: an operator says so.
   * @returns those that went at once; of many, the rest goes with the next sweeps.
   */
  evictLapsed(service: string, moment: Moment): readonly Change[] {
    const leases = this.#services.get(service);
    if (!leases) return [];
    leases.preservation = undefined;
    for (const id of leases.lapsed) this.#doomed.push({ service: leases, id });
    return this.#evictDoomed(moment);
  }

  /**
   * Evicts what lapsed, as far as self-preservation permits. A large table wants several calls: see {@link Sweep.more}.
   * @param plannedAt when this sweep was due (monotonic): if it comes much later, the registry stood still, renewals
   * could not arrive, and every lease gets the lost time back.
   */
  sweep(moment: Moment, plannedAt: number, { lapsed = 'evicted', graceMs = 0 }: Sweeping = {}): Sweep {
    const lateMs = moment.at - plannedAt;
    const jumpMs = this.#noteClocks(moment);
    this.#tombstones.prune(moment.at, mostPerSweep.extended);
    if (jumpMs > this.#limits.pauseMs) {
      this.#extendAll((lease) => restartTerm(lease, moment));
      return { ...nothingSwept, jumpMs, more: this.#extendSome() };
    }
    if (lateMs > this.#limits.pauseMs) {
      this.#extendAll((lease) => extend(lease, lateMs));
      return { ...nothingSwept, extendedMs: lateMs, more: this.#extendSome() };
    }
    if (this.#extending) return { ...nothingSwept, more: this.#extendSome() };
    if (lapsed === 'kept') return nothingSwept;
    const until = { ...moment, at: moment.at - graceMs };
    for (const service of this.#queue.collect(until, mostPerSweep.lookedAt)) this.#lapsing.add(service);
    // Judged when all that lapsed is known: a part of it is no measure of how many are missing.
    if (this.nextExpiryAt <= until.at) return { ...nothingSwept, more: true };
    const { paused, resumed, chosen } = this.#doomed.length === 0 ? this.#judge(moment) : noneChosen;
    if (lapsed === 'evicted') {
      for (const { service } of chosen) service.noteEviction(moment.at);
      this.#doomed.push(...chosen);
    }
    const proposed = lapsed === 'proposed' ? chosen.map(({ service, id }) => ({ service: service.key, id })) : [];
    const evicted = this.#evictDoomed(moment);
    this.#services.prune(moment.at, this.#limits);
    return { ...nothingSwept, paused, resumed, evicted, proposed, more: this.#doomed.length > 0 };
  }

  /** Chooses who of the lapsed may go. */
  #judge({ at, wallAt }: Moment): Judged {
    const paused: ServiceLeases[] = [];
    const resumed: ServiceLeases[] = [];
    const chosen: Doomed[] = [];
    for (const service of this.#lapsing) {
      const before = service.preservation;
      for (const id of service.judge(at, wallAt, this.#limits, this.#random)) chosen.push({ service, id });
      if (!before && service.preservation) paused.push(service);
      if (before && !service.preservation) resumed.push(service);
      if (service.lapsed.size === 0) this.#lapsing.delete(service);
    }
    return { paused, resumed, chosen };
  }

  /** Those who gave a sign of life since they were chosen stay. */
  #evictDoomed(moment: Moment): Change[] {
    const changes: Change[] = [];
    for (const { service, id } of this.#doomed.splice(0, mostPerSweep.evicted)) {
      const slot = service.lapsed.has(id) ? service.slots.get(id) : undefined;
      if (slot) changes.push(this.#remove(slot, 'evicted', moment));
      if (service.lapsed.size === 0) this.#lapsing.delete(service);
    }
    return changes;
  }

  /** Those of a service whose lease lapsed, as far as the last sweep saw. */
  lapsedOf(service: string): readonly InstanceKey[] {
    return [...(this.#services.get(service)?.lapsed ?? [])].map((id) => ({ service, id }));
  }

  /**
   * What registries that share their leases agreed on takes the place of what was known of an instance.
   * @param alive its owner gave a sign of life with it: the lease has a full term from now on.
   * @returns undefined: the registry is full.
   */
  adopt(saved: SavedLease, alive: boolean, moment: Moment): Lease | undefined {
    const { instance } = saved;
    const service = formatIdentity(instance.identity);
    const slot = this.#slot({ service, id: instance.id });
    if (!slot) {
      if (this.#services.size >= this.#limits.maxInstances) return undefined;
      this.#tombstones.remove(service, instance.id);
      const lease = restartTerm({ ...saved, expiresAt: moment.at }, moment);
      return this.#announce(this.#add(this.#services.open(instance), lease), undefined, moment);
    }
    const { lease } = slot;
    const agreed = { ...instance, revision: lease.instance.revision };
    const isKnown = isDeepStrictEqual(lease.instance, agreed);
    const next = { ...saved, instance: isKnown ? lease.instance : agreed, expiresAt: lease.expiresAt };
    this.#place(slot, alive ? restartTerm(next, moment) : next);
    if (isKnown) return slot.lease;
    return this.#announce(slot, lease.instance, moment);
  }

  /** Registries that share their leases agreed that an instance is gone. */
  drop({ until: _, ...stone }: SavedTombstone, moment: Moment): void {
    const slot = this.#slot(stone);
    if (slot && stone.reason === 'evicted') slot.service.noteEviction(moment.at);
    if (slot) this.#remove(slot, stone.reason, moment);
    this.#tombstones.add({ ...stone, until: this.#tombstoneEnd(moment) });
  }

  /** They agreed that its tombstone is over. */
  forget({ service, id }: InstanceKey): void {
    this.#tombstones.remove(service, id);
  }

  tombstone({ service, id }: InstanceKey, moment: Moment): Tombstone | undefined {
    return this.#tombstones.get(service, id, moment.at);
  }

  /** Every lease has a full term from now on; of many, as the next sweeps come to them, and nobody lapses before. */
  restartTerms(moment: Moment): void {
    this.#extendAll((lease) => restartTerm(lease, moment));
    this.#extendSome();
  }

  get(key: InstanceKey): Lease | undefined {
    return this.#slot(key)?.lease;
  }

  /** Everybody who fits the target; undefined: everybody. */
  *list(target?: Target): Generator<Lease, undefined> {
    const services = target && 'service' in target ? [this.#services.get(target.service)] : this.#services;
    for (const service of services) {
      if (!service) continue;
      for (const { lease } of service.slots.values()) if (matches(target, lease.instance)) yield lease;
    }
  }

  /** Leases of the services whose name is `name`, whatever its case, namespace, group and version. */
  *named(name: string): Generator<Lease, undefined> {
    for (const { slots } of this.#services.named(name)) for (const { lease } of slots.values()) yield lease;
  }

  /** One lease by name and id, as {@link named} finds services. */
  find(name: string, id: string): Lease | undefined {
    for (const { slots } of this.#services.named(name)) {
      const slot = slots.get(id);
      if (slot) return slot.lease;
    }
    return undefined;
  }

  /** Services with instances, and why eviction is paused where it is. */
  *services(): Generator<{ service: string; leases: readonly Lease[]; preservation?: PreservedService }, undefined> {
    for (const { key, slots, preservation } of this.#services) {
      if (slots.size === 0) continue;
      const leases = [...slots.values()].map(({ lease }) => lease);
      yield { service: key, leases, ...(preservation ? { preservation } : undefined) };
    }
  }

  /** The changes after `revision`; undefined when they are not all kept. */
  changesSince(revision: number): readonly Change[] | undefined {
    return this.#log.since(revision);
  }

  /** The changes from that instant (monotonic) on that are kept, the last `atMost` of them; whether those are all. */
  changesFrom(at: number, atMost?: number): ReturnType<ChangeLog['from']> {
    return this.#log.from(at, atMost);
  }

  /** The whole state, read while it is iterated. */
  draft(moment: Moment): StateDraft {
    return {
      revision: this.revision,
      leases: this.list().map(savedLease),
      tombstones: this.#tombstones[Symbol.iterator]().map((stone) => savedTombstone(stone, moment)),
    };
  }

  /** The whole state, as it is now. */
  save(moment: Moment): StoredState {
    const { revision, leases, tombstones } = this.draft(moment);
    return { revision, leases: [...leases], tombstones: [...tombstones] };
  }

  /** What a store has to know of a change; to be asked within the step that made it. */
  stored({ revision, service, id }: Change, moment: Moment): StoredChange | undefined {
    const lease = this.get({ service, id });
    if (lease) return { revision, lease: savedLease(lease) };
    const stone = this.#tombstones.get(service, id, moment.at);
    return stone && { revision, gone: savedTombstone(stone, moment) };
  }

  /** Fills an empty table. Each lease starts anew, so that nobody goes only because the registry was down. */
  restore(state: StoredState, moment: Moment): void {
    this.#log = new ChangeLog(this.#limits.maxChanges, state.revision);
    for (const saved of state.leases) {
      const { instance } = saved;
      const expiresAt = instance.lease ? moment.at + instance.lease.lastsMs : Infinity;
      this.#add(this.#services.open(instance), { ...saved, expiresAt });
    }
    // No longer than if it had been made now, whatever happened to the wall clock since.
    const latest = this.#tombstoneEnd(moment);
    for (const { until, ...stone } of state.tombstones) {
      this.#tombstones.add({ ...stone, until: Math.min(until - moment.wallAt + moment.at, latest) });
    }
  }

  #registerNew(service: string, incoming: Instance, moment: Moment, told: Told): Registered {
    const { id } = incoming;
    const buried = this.#tombstones.get(service, id, moment.at);
    const ended = endedBefore(buried, incoming.incarnation, told);
    const known = told.declaredIncarnation === undefined ? ended : undefined;
    const incarnation = believedIncarnation(known, incoming.incarnation, moment, this.#limits);
    const stone = this.#tombstones.forbidding(service, id, incarnation, moment.at);
    if (stone) return { outcome: 'stale', incarnation: stone.incarnation };
    if (this.#services.size >= this.#limits.maxInstances) {
      throw new FlotillaError(
        'UNAVAILABLE',
        `instance "${id}" of "${service}" cannot be registered: the registry holds its limit of ${this.#limits.maxInstances} instances`,
      );
    }
    const override = buried?.override ?? incoming.override;
    const said = override === incoming.override ? incoming : { ...incoming, ...(override ? { override } : undefined) };
    const { lease } = register(undefined, said, moment, this.#limits, ended ? { ...told, ended } : told);
    this.#tombstones.remove(service, id);
    const slot = this.#add(this.#services.open(incoming), lease);
    return { outcome: 'registered', lease: this.#announce(slot, undefined, moment) };
  }

  #registerAgain(slot: Slot, incoming: Instance, moment: Moment, told: Told): Registered {
    const before = slot.lease.instance;
    const { lease, changed } = register(slot.lease, incoming, moment, this.#limits, told);
    this.#place(slot, lease);
    if (changed) this.#announce(slot, before, moment);
    const kept = lease.declaredIncarnation !== incoming.incarnation;
    return { outcome: kept ? 'kept' : 'registered', lease: slot.lease };
  }

  #apply(key: InstanceKey, moment: Moment, step: (lease: Lease) => LeaseStep): Found {
    const slot = this.#slot(key);
    if (!slot) return { outcome: 'unknown' };
    const before = slot.lease.instance;
    const { lease, changed } = step(slot.lease);
    this.#place(slot, lease);
    if (changed) this.#announce(slot, before, moment);
    return { outcome: 'known', lease: slot.lease };
  }

  #slot({ service, id }: InstanceKey): Slot | undefined {
    return this.#services.get(service)?.slots.get(id);
  }

  #add(service: ServiceLeases, lease: Lease): Slot {
    const slot: Slot = { service, lease, queuedAt: Infinity };
    this.#services.add(slot);
    this.#place(slot, lease);
    return slot;
  }

  #place(slot: Slot, lease: Lease): void {
    slot.lease = lease;
    if (lease.instance.lease) this.#longestLeaseMs = Math.max(this.#longestLeaseMs, lease.instance.lease.lastsMs);
    this.#queue.placed(slot);
  }

  /** How much more the wall clock went on than the monotonic one since the last sweep; less than 0 when it went back. */
  #noteClocks({ at, wallAt }: Moment): number {
    const before = this.#wallOffset;
    this.#wallOffset = wallAt - at;
    return before === undefined ? 0 : this.#wallOffset - before;
  }

  #extendAll(longer: (lease: Lease) => Lease): void {
    // One after the other, when the registry stands still again before the first is done.
    const before = this.#extending;
    for (const service of this.#services) {
      service.lapsed.clear();
      service.preservation = undefined;
    }
    this.#lapsing.clear();
    this.#doomed = [];
    const both = before ? (lease: Lease) => longer(before.longer(lease)) : longer;
    this.#extending = { slots: this.#slots(), longer: both };
  }

  /** @returns whether there are more. */
  #extendSome(): boolean {
    const extending = this.#extending;
    if (!extending) return false;
    for (let extended = 0; extended < mostPerSweep.extended; extended++) {
      const { value: slot, done } = extending.slots.next();
      if (done) {
        this.#extending = undefined;
        this.#queue.rebuild();
        return false;
      }
      slot.lease = extending.longer(slot.lease);
    }
    return true;
  }

  *#slots(): Generator<Slot, undefined> {
    for (const service of this.#services) yield* service.slots.values();
  }

  #remove(slot: Slot, reason: 'deregistered' | 'evicted', moment: Moment): Change {
    const { service, lease } = slot;
    const { id, incarnation, override } = lease.instance;
    const key = { service: service.key, id };
    const { declaredIncarnation } = lease;
    this.#services.remove(slot);
    if (reason === 'deregistered') this.#bury(key, incarnation, moment, declaredIncarnation);
    else {
      const until = this.#tombstoneEnd(moment);
      this.#tombstones.add({ ...key, incarnation, reason, ...(override ? { override } : undefined), until });
    }
    return this.#append({ ...key, before: lease.instance, endedLease: lease, reason }, moment);
  }

  #bury(key: InstanceKey, incarnation: number, moment: Moment, declaredIncarnation = incarnation): void {
    const known = this.#tombstones.get(key.service, key.id, moment.at);
    const until = this.#tombstoneEnd(moment);
    const { incarnation: highest, declaredIncarnation: declared = highest } =
      known && known.incarnation >= incarnation ? known : { incarnation, declaredIncarnation };
    this.#tombstones.add({
      ...key,
      incarnation: highest,
      ...(declared === highest ? undefined : { declaredIncarnation: declared }),
      reason: 'deregistered',
      until,
    });
  }

  #tombstoneEnd({ at }: Moment): number {
    return at + tombstoneLeases * this.#longestLeaseMs;
  }

  /** Stamps what is listed with the revision that lists it. */
  #announce(slot: Slot, before: Instance | undefined, moment: Moment): Lease {
    const after: Instance = { ...slot.lease.instance, revision: this.revision + 1 };
    slot.lease = { ...slot.lease, instance: after };
    const reason = before ? 'updated' : 'registered';
    const change = { service: slot.service.key, id: after.id, after, reason } as const;
    this.#append(before ? { ...change, before } : change, moment);
    return slot.lease;
  }

  #append(change: Omit<Change, 'revision' | 'changedAt' | 'at'>, { at, wallAt }: Moment): Change {
    const whole: Change = { ...change, revision: this.revision + 1, changedAt: wallAt, at };
    this.#log.append(whole);
    this.#onChange(whole);
    return whole;
  }
}

function savedLease(lease: Lease): SavedLease {
  const { instance, declaredIncarnation, registeredAt, renewedAt, changedAt, upAt, owner } = lease;
  const saved = { instance, declaredIncarnation, registeredAt, renewedAt, changedAt, upAt };
  return owner === undefined ? saved : { ...saved, owner };
}

/** As what the incarnation with which an instance went is known to the one that comes. */
function endedBefore(
  stone: Tombstone | undefined,
  incoming: number,
  { mayReturn = false }: Told,
): KnownIncarnation | undefined {
  if (!stone) return undefined;
  const { incarnation, declaredIncarnation = incarnation, reason } = stone;
  const returns = mayReturn && reason === 'deregistered' && declaredIncarnation === incoming;
  return { declaredIncarnation, instance: { incarnation: returns ? incarnation + 1 : incarnation } };
}

function savedTombstone({ until, ...stone }: Tombstone, { at, wallAt }: Moment): SavedTombstone {
  return { ...stone, until: Math.ceil(until - at + wallAt) };
}

const nothingSwept: Sweep = Object.freeze({
  evicted: [],
  proposed: [],
  extendedMs: 0,
  jumpMs: 0,
  paused: [],
  resumed: [],
  more: false,
});

const noneChosen: Judged = Object.freeze({ paused: [], resumed: [], chosen: [] });
