import {
  type Call,
  type Clock,
  type Component,
  type Counter,
  FlotillaError,
  formatIdentity,
  formatTarget,
  type Instance,
  type InstanceStatus,
  type Logger,
  leaseDefaults,
  type Meter,
  nullLogger,
  nullMeter,
  type Random,
  type Target,
  type Timer,
} from '@flotilla/core';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { checkInstance } from '../check-instance.ts';
import type { ContractConflict } from '../contract-census.ts';
import { type Cursor, createEpoch, resumeFrom, warmEpoch } from '../cursor.ts';
import type { Change } from '../lease/change.ts';
import type { Lease } from '../lease/lease.ts';
import { type Found, type InstanceKey, LeaseTable, type Registered } from '../lease/lease-table.ts';
import { type RegistryLimits, registryLimits } from '../lease/limits.ts';
import { type Moment, momentOf } from '../lease/moment.ts';
import type { PreservedService, ServiceLeases } from '../lease/service-leases.ts';
import type { LeaseEngine } from '../shared/engine.ts';
import { type EngineState, SharedLeases } from '../shared/shared-leases.ts';
import { Audience, elsewhere, type Notice } from './audience.ts';
import type { AuditTrail } from './audit.ts';
import { ContractWatch } from './contract-watch.ts';
import { type RegistryLog, registryLog } from './log.ts';
import { type RegistryMetrics, registryMetrics } from './metrics.ts';
import { type Operation, OperationHub, type Said } from './operations.ts';
import { Saver, type Saving } from './saver.ts';
import type { RegistryStore } from './store.ts';
import { Watcher, WatchHub } from './watch.ts';

/** What {@link createRegistry} needs. */
export interface RegistryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly meter?: Meter;
  /** Where the state outlives the process. Default: nowhere; then each start is an empty one and warms up. */
  readonly store?: RegistryStore;
  /** Where this node and others keep their leases together. Default: nowhere; it is alone. */
  readonly engine?: LeaseEngine;
  /** Told what operators do. Default: nobody is. */
  readonly audit?: AuditTrail;
  /** Overrides of `registryLimits`. */
  readonly limits?: Partial<RegistryLimits>;
  /**
   * A state that changed is saved whole no later than this, and sooner where the store has many changes to keep: a start
   * has less to read. Each change by itself is in the store at once, whatever this is. Default 600,000.
   */
  readonly saveDelayMs?: number;
  /**
   * What becomes of an instance that serves a contract in a form which present callers cannot use, as far as the forms are
   * known: `report` (default) lists it and says so, `refuse` does not register it.
   */
  readonly incompatible?: 'report' | 'refuse';
  /** A registry that came up empty calls its lists incomplete for this long. Default 90,000, one lease. */
  readonly warmingMs?: number;
}

/** One service, for whoever lists them. */
export interface ServiceSummary {
  /** Text form of the identity. */
  readonly service: string;
  readonly leases: readonly Lease[];
  /** Why eviction is paused, where it is. */
  readonly preservation?: PreservedService;
}

/**
 * A registry: leases, whoever watches them, and the time that ends them. Dialects stand on it; it knows none.
 *
 * Lifecycle: `start` reads the store (1), restores the leases for a fresh full duration each (2), warms up if there were
 * none or some are lost (3), and begins to sweep (4). `stop` ends the watches (1), saves (2) and gives the store up (3).
 * With an engine, `start` reads it after the store, and `stop` writes the last changes to it before it saves.
 */
export interface Registry extends Component {
  /** The name of this start; cursors of another one get a snapshot. */
  readonly epoch: string;
  /** Up to where a list that is made now is true. */
  readonly cursor: Cursor;
  /** True for one lease duration after an empty start, unless {@link learntAll} ends it: the lists may be incomplete. */
  readonly warming: boolean;
  /**
   * Whether somebody who takes over what is listed here knows everybody. Who warms up may not have heard of some; who holds
   * back evictions, or is cut off from its engine, may be the one that is cut off from the fleet.
   */
  readonly complete: boolean;
  /** All that registries list which know everybody is listed here now: that is as good as a warming. */
  learntAll(): void;
  readonly size: number;
  /** Wall time of this start; 0 before. */
  readonly startedAt: number;
  readonly limits: RegistryLimits;
  /** Open watches. */
  readonly watchers: number;
  readonly saving: Saving;
  /** Absent: it shares its leases with no other node. */
  readonly engine: EngineState | undefined;
  /** On which contracts and services instances do not agree. Forms of a contract that are known to fit together agree. */
  readonly conflicts: readonly ContractConflict[];
  /** Who serves and who calls which contracts, and what is in them. */
  readonly catalogue: Catalogue;
  /** Whether an instance has to be refused whose contracts are not known; then it first gives their texts. */
  readonly judgesContracts: boolean;
  /** Takes the text of a contract in. @throws FlotillaError as {@link Catalogue.add} does. */
  addContract(hash: string, source: string): void;
  /**
   * @param instance checked against the bounds, whoever read it.
   * @throws FlotillaError INVALID_INPUT, UNAVAILABLE; FORBIDDEN, as the others below, when another principal registered it
   */
  register(instance: Instance, said?: Said): Registered;
  renew(key: InstanceKey, incarnation?: number, said?: Said): Found;
  setStatus(key: InstanceKey, status: InstanceStatus, incarnation?: number, said?: Said): Found;
  /** An operator's word; undefined takes it back. */
  setOverride(key: InstanceKey, override: InstanceStatus | undefined, said?: Said): Found;
  /**
   * Whether an operator's word was taken back, here or at another registry, since the owner last said its status. Whoever
   * told of the instance may have known no other word of its. Forgotten with a restart.
   */
  awaitsOwner(lease: Lease): boolean;
  deregister(key: InstanceKey, incarnation?: number, said?: Said): Found;
  /**
   * Resolves when what was done so far survives a crash, as far as the registry's store can promise it. With an engine it
   * is in there, or {@link isUnsynced} says that it is not.
   * @param key of the instance that is meant; absent: all. A store keeps all together, so that with one it is the same.
   * @throws FlotillaError UNAVAILABLE when the engine is there and does not take it in time: it is not acknowledged then
   */
  settled(key?: InstanceKey): Promise<void>;
  /** Whether the engine is away and does not have what was said of an instance: another node may not know it yet. */
  isUnsynced(key: InstanceKey): boolean;
  /**
   * Hears every operation that found or made its instance, within the step, whether or not it changed what is listed.
   * Evictions are none: each registry judges leases itself. The listener must not throw. @returns ends it.
   */
  follow(listener: (operation: Operation) => void): () => void;
  /** An operator says that what self-preservation holds is really gone. @returns how many went. */
  evictLapsed(service: string, said?: Said): number;
  get(key: InstanceKey): Lease | undefined;
  list(target?: Target): Iterable<Lease>;
  /** Leases of all services of that name in any case, whatever their namespace, group and version. */
  named(name: string): Iterable<Lease>;
  find(name: string, id: string): Lease | undefined;
  services(): Iterable<ServiceSummary>;
  /**
   * What is known of the changes within the last `windowMs`, oldest first. Not complete: this start is younger than the
   * window, or there were more changes than `limits.maxChanges` or `atMost`, of which these are the last.
   */
  recentChanges(windowMs: number, atMost?: number): { readonly changes: readonly Change[]; readonly complete: boolean };
  /** The changes after a revision of this start; undefined when they are not all kept. */
  changesSince(revision: number): readonly Change[] | undefined;
  /**
   * Follows a target from a cursor on; without one, with one of another epoch or too old, it begins with a snapshot.
   * @param who whose watch it is; absent: the registry's own.
   * @throws FlotillaError UNAVAILABLE at the limit of watchers, or when the registry does not run
   */
  watch(target: Target | undefined, cursor?: string, who?: string): Watcher;
  /**
   * Resolves when all callers, those of other nodes in front of the same engine too, have acknowledged an instance's last
   * change, when that cannot be known, or after `limitMs`; never later than `call`.
   * @throws FlotillaError UNAVAILABLE when too many wait
   */
  noticed(lease: Lease, limitMs: number, call: Call): Promise<Notice>;
  /** Who reads, and up to where each has taken in what changed. */
  readonly audience: Audience;
  /** Ends the watches of those who may not have them any more; the registry's own stay. */
  endWatches(mayStay: (who: string) => boolean): void;
}

/** Makes a registry; nothing happens before its `start`. */
export function createRegistry(options: RegistryOptions): Registry {
  return new LeaseRegistry(options);
}

/** Whoever registers for itself: not an operator, and not another registry that passes word on. */
function isOwner({ by, replicated }: Said): boolean {
  return (by?.role === 'instance' || by?.role === 'peer') && !replicated;
}

function withoutOverride(instance: Instance): Instance {
  if (instance.override === undefined) return instance;
  const { override: _, ...owned } = instance;
  return owned;
}

/** A sweep comes at least this often, so that the registry notices when it stood still. */
const sweepEveryMs = 5_000;

const saveDelayMs = 600_000;

/** How long a node waits for its own callers to acknowledge who leaves, to tell other nodes: as long as anybody may ask. */
const noticeMs = 60_000;

class LeaseRegistry implements Registry {
  readonly name = 'registry';
  readonly epoch: string;
  readonly limits: RegistryLimits;
  readonly audience: Audience;
  readonly #clock: Clock;
  readonly #log: RegistryLog;
  readonly #metrics: RegistryMetrics;
  /** Asked for once: renewals are nearly everything that a registry does. */
  readonly #renewals: Readonly<Record<Found['outcome'], Counter>>;
  readonly #registrations: Readonly<Record<Registered['outcome'], Counter>>;
  readonly #audit: AuditTrail | undefined;
  readonly #table: LeaseTable;
  readonly #hub = new WatchHub();
  readonly #operations = new OperationHub();
  readonly #contracts: ContractWatch;
  readonly judgesContracts: boolean;
  /** Those of {@link awaitsOwner}; what their owners say makes others of them. */
  readonly #awaited = new WeakSet<Instance>();
  readonly #store: RegistryStore | undefined;
  readonly #saver: Saver | undefined;
  readonly #shared: SharedLeases | undefined;
  readonly #warmingMs: number;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #warming = false;
  /** It came up empty, and that is over. */
  #isWarm = false;
  #started: Moment = { at: Infinity, wallAt: 0 };
  #sweepTimer: Timer | undefined;
  #warmingTimer: Timer | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: RegistryOptions) {
    const { clock, random, store } = options;
    this.#clock = clock;
    this.#log = registryLog(options.logger ?? nullLogger);
    this.#metrics = registryMetrics(options.meter ?? nullMeter);
    this.#contracts = new ContractWatch(this.#log, this.#metrics);
    const { renewals, registrations } = this.#metrics;
    this.#renewals = {
      known: renewals.with({ outcome: 'known' }),
      unknown: renewals.with({ outcome: 'unknown' }),
    };
    this.#registrations = {
      registered: registrations.with({ outcome: 'registered' }),
      kept: registrations.with({ outcome: 'kept' }),
      stale: registrations.with({ outcome: 'stale' }),
    };
    this.#audit = options.audit;
    this.limits = Object.freeze({ ...registryLimits, ...options.limits });
    this.judgesContracts = options.incompatible === 'refuse';
    this.#warmingMs = options.warmingMs ?? leaseDefaults.lastsMs;
    this.epoch = createEpoch(clock.wallNow(), random);
    this.audience = new Audience({
      epoch: this.epoch,
      clock,
      random,
      maxAway: this.limits.maxWatchers,
      // What nodes in front of one engine tell each other of their callers is asked for in `noticed`.
      isShared: () => this.#operations.followers > (this.#shared ? 1 : 0),
    });
    this.#table = new LeaseTable(this.limits, random, (change) => this.#onChange(change));
    this.#store = store;
    const draft = () => this.#table.draft(momentOf(clock));
    const delayMs = options.saveDelayMs ?? saveDelayMs;
    const [log, metrics] = [this.#log, this.#metrics];
    this.#saver = store && new Saver({ store, clock, log, metrics, draft, delayMs });
    const noticedHere = async (instance: Instance): Promise<boolean> =>
      (await this.audience.noticed(instance, noticeMs)).noticed;
    const shares = {
      table: this.#table,
      limits: this.limits,
      clock,
      random,
      node: this.epoch,
      log,
      metrics,
      noticedHere,
    };
    this.#shared = options.engine && new SharedLeases({ engine: options.engine, ...shares });
  }

  get cursor(): Cursor {
    return { epoch: this.#cursorEpoch, revision: this.#table.revision };
  }

  get warming(): boolean {
    return this.#warming;
  }

  get complete(): boolean {
    const isAway = this.#shared !== undefined && this.#shared.state.state !== 'together';
    return this.#state === 'running' && !this.#warming && !isAway && this.#table.preserved === 0;
  }

  learntAll(): void {
    if (this.#warming && this.#state === 'running') this.#warmedUp();
  }

  get size(): number {
    return this.#table.size;
  }

  get startedAt(): number {
    return this.#started.wallAt;
  }

  get watchers(): number {
    return this.#hub.size;
  }

  get saving(): Saving {
    const failing = this.#saver?.failing;
    return { kept: this.#store !== undefined, ...(failing ? { failing } : undefined) };
  }

  get engine(): EngineState | undefined {
    return this.#shared?.state;
  }

  get catalogue(): Catalogue {
    return this.#contracts.catalogue;
  }

  get conflicts(): readonly ContractConflict[] {
    return this.#contracts.conflicts;
  }

  addContract(hash: string, source: string): void {
    this.#contracts.add(hash, source);
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') throw new FlotillaError('START_FAILED', 'a registry starts once; make a new one');
    const stored = await this.#store?.load();
    this.#state = 'running';
    this.#started = momentOf(this.#clock);
    if (stored) this.#table.restore(stored, momentOf(this.#clock));
    for (const { instance } of this.#table.list()) this.#contracts.changed(undefined, instance);
    this.#metrics.instances.set(this.#table.size);
    await this.#startShared();
    const isAway = this.#shared !== undefined && this.#shared.state.state !== 'together';
    if (this.#table.size === 0 || stored?.incomplete || isAway) this.#warmUp();
    this.#armSweep();
    this.#saver?.begin();
    const warmingMs = this.#warming ? this.#warmingMs : 0;
    this.#log.started({ instances: this.#table.size, epoch: this.epoch, warmingMs });
  }

  stop(_reason: string): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  register(instance: Instance, said: Said = {}): Registered {
    this.#assertRunning();
    const checked = checkInstance(instance);
    if (this.judgesContracts && !said.replicated) {
      const present = this.#table.get({ service: formatIdentity(instance.identity), id: instance.id });
      this.#contracts.judge(instance, present?.instance);
    }
    const incoming = said.acceptOverride ? checked : withoutOverride(checked);
    this.#assertOwner({ service: formatIdentity(instance.identity), id: instance.id }, said, 'register');
    const owner = isOwner(said) ? said.by?.name : said.owner;
    const before = {
      ...(said.heardAgoMs === undefined ? undefined : { heardAgoMs: said.heardAgoMs }),
      ...(said.declaredIncarnation === undefined ? undefined : { declaredIncarnation: said.declaredIncarnation }),
      ...(said.mayReturn ? { mayReturn: true } : undefined),
      ...(owner === undefined ? undefined : { owner }),
    };
    const registered = this.#table.register(incoming, momentOf(this.#clock), before);
    if (registered.outcome === 'registered') this.#noticeClamp(incoming, registered.lease);
    this.#registrations[registered.outcome].add();
    if (registered.outcome !== 'stale') this.#operations.happened('registered', registered.lease, said);
    return registered;
  }

  renew(key: InstanceKey, incarnation?: number, said: Said = {}): Found {
    this.#assertOwner(key, said, 'renew');
    const found = this.#table.renew(key, momentOf(this.#clock), incarnation);
    this.#renewals[found.outcome].add();
    return this.#heard('renewed', found, said);
  }

  setStatus(key: InstanceKey, status: InstanceStatus, incarnation?: number, said: Said = {}): Found {
    this.#assertOwner(key, said, 'change');
    const found = this.#table.setStatus(key, status, momentOf(this.#clock), incarnation);
    if (found.outcome === 'known') this.#awaited.delete(found.lease.instance);
    return this.#heard('statusSet', found, said);
  }

  setOverride(key: InstanceKey, override: InstanceStatus | undefined, said: Said = {}): Found {
    const before = this.#table.get(key)?.instance.override;
    const found = this.#table.setOverride(key, override, momentOf(this.#clock));
    if (!said.replicated && found.outcome === 'known') {
      this.#note('override', key, said, { before: before ?? 'none', after: override ?? 'none' });
    }
    return this.#heard('overrideSet', found, said);
  }

  awaitsOwner({ instance }: Lease): boolean {
    return this.#awaited.has(instance);
  }

  deregister(key: InstanceKey, incarnation?: number, said: Said = {}): Found {
    this.#assertOwner(key, said, 'deregister');
    return this.#heard('deregistered', this.#table.deregister(key, momentOf(this.#clock), incarnation), said);
  }

  settled(key?: InstanceKey): Promise<void> {
    const saved = this.#saver?.settled() ?? nothing;
    const shared = this.#shared?.settled(key);
    return shared ? Promise.all([saved, shared]).then(() => {}) : saved;
  }

  isUnsynced(key: InstanceKey): boolean {
    return this.#shared?.isUnsynced(key) ?? false;
  }

  async noticed({ instance }: Lease, limitMs: number, call: Call): Promise<Notice> {
    const until = this.#clock.now() + limitMs;
    const here = await this.audience.noticed(instance, limitMs, call);
    if (!this.#shared || !here.noticed) return here;
    const key = { service: formatIdentity(instance.identity), id: instance.id };
    const noticed = await this.#shared.noticed(key, Math.max(0, until - this.#clock.now()), call);
    return noticed ? here : { noticed, waiting: 0, silent: [elsewhere] };
  }

  follow(listener: (operation: Operation) => void): () => void {
    return this.#operations.follow(listener);
  }

  evictLapsed(service: string, said: Said = {}): number {
    const evicted = this.#table.lapsed(service);
    if (this.#shared) this.#shared.evict(this.#table.lapsedOf(service));
    else this.#table.evictLapsed(service, momentOf(this.#clock));
    this.#note('evict', { service, id: '' }, said, { after: `${evicted} instances evicted` });
    if (evicted > 0) this.#log.evictionResumed(service);
    this.#metrics.preservedServices.set(this.#table.preserved);
    return evicted;
  }

  get(key: InstanceKey): Lease | undefined {
    return this.#table.get(key);
  }

  list(target?: Target): Iterable<Lease> {
    return this.#table.list(target);
  }

  named(name: string): Iterable<Lease> {
    return this.#table.named(name);
  }

  find(name: string, id: string): Lease | undefined {
    return this.#table.find(name, id);
  }

  services(): Iterable<ServiceSummary> {
    return this.#table.services();
  }

  recentChanges(
    windowMs: number,
    atMost?: number,
  ): { readonly changes: readonly Change[]; readonly complete: boolean } {
    const from = this.#clock.now() - windowMs;
    const { changes, complete } = this.#table.changesFrom(from, atMost);
    return { changes, complete: complete && from >= this.#started.at };
  }

  changesSince(revision: number): readonly Change[] | undefined {
    return this.#table.changesSince(revision);
  }

  watch(target: Target | undefined, cursor?: string, who?: string): Watcher {
    this.#assertRunning();
    if (this.#hub.size >= this.limits.maxWatchers) {
      throw new FlotillaError('UNAVAILABLE', `the registry has its limit of ${this.limits.maxWatchers} watchers`, {
        retryAfterMs: 5_000,
      });
    }
    const watcher = new Watcher({
      target,
      who,
      missed: this.#missedSince(cursor),
      maxQueued: this.limits.maxQueuedChanges,
      collapsed: (droppedChanges) => {
        this.#metrics.collapses.add();
        this.#log.watcherCollapsed({ target: target ? formatTarget(target) : 'all', droppedChanges });
      },
      closed: (closed) => {
        this.#hub.remove(closed);
        this.#metrics.watchers.set(this.#hub.size);
      },
    });
    this.#hub.add(watcher);
    this.#metrics.watchers.set(this.#hub.size);
    return watcher;
  }

  endWatches(mayStay: (who: string) => boolean): void {
    for (const watcher of [...this.#hub]) if (watcher.who !== undefined && !mayStay(watcher.who)) watcher.close();
  }

  /** An instance belongs to who registered it. Whoever speaks for everybody is written down where it does. */
  #assertOwner(key: InstanceKey, said: Said, action: string): void {
    const { by } = said;
    if (!by || by.role === 'anybody' || said.replicated) return;
    const owner = this.#table.get(key)?.owner;
    if (owner === undefined || owner === by.name) return;
    if (by.role === 'operator') this.#note(action, key, said, { before: `registered by ${owner}` });
    else {
      throw new FlotillaError(
        'FORBIDDEN',
        `the user "${by.name}" may not ${action} instance "${key.id}" of "${key.service}": another user registered it`,
      );
    }
  }

  #note(
    action: string,
    { service, id }: InstanceKey,
    { by }: Said,
    facts: { readonly before?: string; readonly after?: string },
  ): void {
    this.#audit?.record({
      who: by?.name ?? 'this process',
      ...(by ? { role: by.role } : undefined),
      address: by?.address ?? '',
      action,
      outcome: 'done',
      target: id === '' ? service : `${service} ${id}`,
      ...facts,
    });
  }

  #heard(kind: Operation['kind'], found: Found, said: Said): Found {
    if (found.outcome === 'known') this.#operations.happened(kind, found.lease, said);
    return found;
  }

  /** Cursors given before it was warm are of another epoch: who comes back with one learns that it is. */
  get #cursorEpoch(): string {
    return this.#isWarm ? warmEpoch(this.epoch) : this.epoch;
  }

  #missedSince(cursor: string | undefined): readonly Change[] | undefined {
    const { revision, oldestRevision } = this.#table;
    const resume = resumeFrom(cursor, { epoch: this.#cursorEpoch, oldest: oldestRevision, revision });
    return resume === 'snapshot' ? undefined : this.#table.changesSince(resume.changesAfter);
  }

  #onChange(change: Change): void {
    this.#log.changed(change);
    if (change.reason === 'evicted') this.#metrics.evictions.add();
    this.#metrics.instances.set(this.#table.size);
    if (change.before?.override !== undefined && change.after && change.after.override === undefined)
      this.#awaited.add(change.after);
    this.#contracts.changed(change.before, change.after);
    this.#hub.announce(change);
    const stored = this.#saver && this.#table.stored(change, momentOf(this.#clock));
    if (stored) this.#saver?.changed(stored);
  }

  #noticeClamp({ identity, id, incarnation }: Instance, { instance }: Lease): void {
    if (incarnation <= instance.incarnation) return;
    this.#log.incarnationClamped({ service: identity.service, id, declared: incarnation, taken: instance.incarnation });
  }

  async #startShared(): Promise<void> {
    const shared = this.#shared;
    if (!shared) return;
    this.#operations.follow((operation) => shared.noted(operation));
    await shared.start();
  }

  #warmUp(): void {
    this.#warming = true;
    this.#warmingTimer = this.#clock.setTimer(this.#warmingMs, () => this.#warmedUp(), { background: true });
  }

  #warmedUp(): void {
    this.#warmingTimer?.cancel();
    this.#warming = false;
    this.#isWarm = true;
    this.#log.warmedUp({ instances: this.#table.size });
    for (const watcher of this.#hub) watcher.resync();
  }

  /** @param isLeft the last sweep was not done: what is waiting for the loop comes in between. */
  #armSweep(isLeft = false): void {
    const { lapsed, graceMs = 0 } = this.#shared?.sweeping ?? {};
    const lapseAt = lapsed === 'kept' ? Infinity : this.#table.nextExpiryAt + graceMs;
    const nextAt = isLeft ? 0 : lapseAt;
    const plannedAt = Math.max(this.#clock.now(), Math.min(nextAt, this.#clock.now() + this.#sweepEveryMs));
    const waitMs = Math.max(0, plannedAt - this.#clock.now());
    this.#sweepTimer = this.#clock.setTimer(waitMs, () => this.#sweep(plannedAt), { background: true });
  }

  /** No lease is shorter than this, so none can lapse before the sweep that is already planned. */
  get #sweepEveryMs(): number {
    return Math.min(sweepEveryMs, this.limits.shortestLeaseMs);
  }

  #sweep(plannedAt: number): void {
    const moment = momentOf(this.#clock);
    const swept = this.#table.sweep(moment, plannedAt, this.#shared?.sweeping);
    const { extendedMs, jumpMs, paused, resumed, proposed, more } = swept;
    this.#shared?.lapsed(proposed);
    if (jumpMs > 0) this.#log.clockJumped({ jumpMs: Math.round(jumpMs), leases: this.#table.size });
    else if (extendedMs > 0) this.#log.stoodStill({ lateMs: Math.round(extendedMs), leases: this.#table.size });
    for (const service of paused) this.#notePause(service);
    for (const { key } of resumed) this.#log.evictionResumed(key);
    this.#metrics.preservedServices.set(this.#table.preserved);
    this.#armSweep(more);
  }

  #notePause({ key, preservation }: ServiceLeases): void {
    if (preservation) this.#log.evictionPaused(key, preservation);
  }

  async #stop(): Promise<void> {
    const wasRunning = this.#state === 'running';
    this.#state = 'stopped';
    this.#sweepTimer?.cancel();
    this.#warmingTimer?.cancel();
    for (const watcher of [...this.#hub]) watcher.close();
    if (!wasRunning) return;
    await this.#shared?.stop();
    await this.#saver?.finish();
    await this.#store?.close();
  }

  #assertRunning(): void {
    if (this.#state === 'running') return;
    throw new FlotillaError('UNAVAILABLE', 'the registry does not run', { retryAfterMs: 1_000 });
  }
}

const nothing = Promise.resolve();
