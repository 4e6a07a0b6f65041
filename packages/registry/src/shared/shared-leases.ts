import {
  type Call,
  type Clock,
  FlotillaError,
  formatIdentity,
  type Instance,
  type Random,
  type Timer,
} from '@flotilla/core';
import type { InstanceKey, LeaseTable, Sweeping } from '../lease/lease-table.ts';
import type { RegistryLimits } from '../lease/limits.ts';
import { type Moment, momentOf } from '../lease/moment.ts';
import type { RegistryLog } from '../server/log.ts';
import type { RegistryMetrics } from '../server/metrics.ts';
import type { Operation } from '../server/operations.ts';
import { Departures } from './departures.ts';
import type { EngineListener, EngineRecord, LeaseEngine } from './engine.ts';
import { Evictions } from './evictions.ts';
import { Inbox } from './inbox.ts';
import { KnownRecords } from './known-records.ts';
import { changeOf } from './local-changes.ts';
import { Outbox } from './outbox.ts';
import { keyOfText, keyText } from './record-text.ts';
import { Renewals } from './renewals.ts';
import { TableRecords } from './table-records.ts';

/** How it stands between a registry node and the engine that it shares. */
export interface EngineState {
  /** `etcd at 10.0.0.1:2379` */
  readonly name: string;
  /**
   * - `starting`: never reached yet
   * - `together`: what this node lists is what all list
   * - `away`: the engine cannot be reached; the last known state is served, nobody is evicted
   */
  readonly state: 'starting' | 'together' | 'away';
  /** Wall time since when. */
  readonly since: number;
  /** Why it is away. */
  readonly reason?: string;
  /** Instances of which this node was told something that the engine does not have yet. */
  readonly unsynced: number;
  /** Nodes that share the engine, this one included; 0 while nobody knows. */
  readonly nodes: number;
  /** Whether it is this node that evicts. */
  readonly evicts: boolean;
}

/** What {@link SharedLeases} needs. */
export interface SharedLeasesParts {
  readonly engine: LeaseEngine;
  readonly table: LeaseTable;
  readonly limits: RegistryLimits;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of this node, unlike any other's. */
  readonly node: string;
  readonly log: RegistryLog;
  readonly metrics: RegistryMetrics;
  /** Resolves with whether all callers of this node know of an instance's last change. */
  readonly noticedHere: (instance: Instance) => Promise<boolean>;
}

/** A lease lapses this much after its end: two bulletins may be late. */
const graceMs = 2_000;
/** A start waits this long without a word of the engine, then goes on without it. */
const startMs = 10_000;
/** Last words, when the node stops, wait this long. */
const farewellMs = 2_000;

/**
 * Makes several registry nodes in front of one engine one registry. Every node holds all leases in its own table and
 * answers from it; the engine holds one record per instance, a lease or a tombstone, written only on top of the write
 * that this node saw last. What a node is told is in its table at once and in the engine before it is acknowledged
 * ({@link settled}). When somebody else wrote first, what this node was told is said again on top of that.
 *
 * {@link Outbox} has what this node was told written, {@link Inbox} takes in what others wrote, {@link Renewals} are told
 * once a second and are no writes. One node evicts ({@link Evictions}), so that the others need not try; that it is one
 * is no promise: an eviction is a write like any other.
 *
 * | state | reads, watches | renewals | changes | evictions | exits |
 * |---|---|---|---|---|---|
 * | starting | what the node's own store held | taken | in memory, unsynced | none | listed → together |
 * | together | what all nodes list | told to all | written, then acknowledged; refused when that takes too long | by one node | engine away → away |
 * | away | last known | taken | in memory, unsynced, said | none | listed → together: merged, written, every lease has a full term |
 */
export class SharedLeases implements EngineListener {
  readonly #parts: SharedLeasesParts;
  readonly #known = new KnownRecords();
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #renewals: Renewals;
  readonly #evictions: Evictions;
  readonly #departures: Departures;
  #state: EngineState['state'] = 'starting';
  #since = 0;
  #reason: string | undefined;
  #members: readonly string[] = [];
  #started: (() => void) | undefined;

  constructor(parts: SharedLeasesParts) {
    const { table, limits } = parts;
    const known = this.#known;
    const records = new TableRecords(table, limits);
    const isOpen = (): boolean => this.#state === 'together';
    this.#parts = parts;
    this.#outbox = new Outbox({
      ...parts,
      known,
      isOpen,
      outgoing: (pending) => records.outgoing(pending, this.#moment()),
      written: (pending, revision, outgoing) => {
        this.#inbox.written(pending, revision, outgoing);
        this.#noteListed(pending.text);
      },
      overtaken: (pending, current) => this.#inbox.overtaken(pending, current),
    });
    this.#departures = new Departures(parts);
    this.#renewals = new Renewals({ ...parts, known, isOpen });
    this.#inbox = new Inbox({
      ...parts,
      known,
      pendingOf: (text) => this.#outbox.get(text),
      say: (key, change) => this.#outbox.add(key, change),
      sayAgain: (text) => this.#outbox.again(text),
      isRenewed: (text) => this.#renewals.has(text),
    });
    const [inbox, outbox] = [this.#inbox, this.#outbox];
    this.#evictions = new Evictions({ ...parts, known, records, inbox, outbox, isMine: () => this.#evicts });
  }

  get state(): EngineState {
    return {
      name: this.#parts.engine.name,
      state: this.#state,
      since: this.#since,
      ...(this.#reason === undefined ? undefined : { reason: this.#reason }),
      unsynced: this.#outbox.size,
      nodes: this.#members.length,
      evicts: this.#evicts,
    };
  }

  /** How the registry has to sweep its table now. */
  get sweeping(): Sweeping {
    return { lapsed: this.#state === 'together' ? 'proposed' : 'kept', graceMs };
  }

  /** Begins; resolves when the engine's leases are in the table, or after 10 s without any more of them. */
  start(): Promise<void> {
    const { engine, clock, node } = this.#parts;
    this.#since = this.#moment().wallAt;
    this.#renewals.start();
    this.#evictions.start();
    return new Promise((resolve) => {
      let late: Timer | undefined;
      const wait = (knownBefore: number): void => {
        late = clock.setTimer(startMs, () => {
          const { size } = this.#known;
          if (size > knownBefore && this.#state === 'starting') wait(size);
          else this.#started?.();
        });
      };
      this.#started = () => {
        late?.cancel();
        this.#started = undefined;
        resolve();
      };
      wait(0);
      engine.start(node, this);
    });
  }

  /** Writes and tells what is left, as far as the engine takes it within 2 s, and ends. */
  async stop(): Promise<void> {
    this.#renewals.stop();
    this.#evictions.stop();
    if (this.#state === 'together')
      await this.#within(farewellMs, [this.#outbox.settled().catch(() => {}), this.#renewals.publish()]);
    this.#outbox.stop();
    this.#departures.stop();
    this.#started?.();
    await this.#parts.engine.stop();
  }

  /** Somebody told this node something: see `Registry.follow`. */
  noted(operation: Operation): void {
    const { instance } = operation.lease;
    const key = { service: formatIdentity(instance.identity), id: instance.id };
    const text = keyText(key);
    const listed = this.#parts.table.get(key);
    // A farewell of a past life came late: nothing happened.
    if (operation.kind === 'deregistered' && listed) return;
    const known = this.#known.get(text);
    const isRenewal = operation.kind === 'renewed' || this.#isListed(text, operation);
    if (isRenewal && known?.kind === 'lease') {
      if (operation.kind !== 'overrideSet') this.#renewals.add(text);
      return;
    }
    // Its owner lives, but the engine knows nothing of it: it is registered there with what this node knows.
    const change = changeOf(operation) ?? changeOf({ ...operation, kind: 'registered' });
    if (change && !(operation.kind === 'renewed' && this.#outbox.has(text))) this.#outbox.add(key, change);
  }

  /**
   * Resolves when what this node was told so far of an instance (absent: of all) is in the engine; at once while the engine
   * is away: then it is in this node's memory alone until the engine is back, and {@link isUnsynced} says so.
   * @throws FlotillaError UNAVAILABLE when the engine is there and does not take it within 2 s
   */
  settled(key?: InstanceKey): Promise<void> {
    return this.#state === 'together' && this.#outbox.size > 0 ? this.#outbox.settled(key) : resolved;
  }

  /** Whether this node was told something of an instance that the engine does not have. */
  isUnsynced(key: InstanceKey): boolean {
    return this.#outbox.has(keyText(key));
  }

  /**
   * Resolves with whether the callers of all other nodes know of an instance's last change; `false` after `limitMs`, and when
   * nobody can tell: the engine does not have the change, or a node went within the last 30 s.
   */
  async noticed(key: InstanceKey, limitMs: number, call: Call): Promise<boolean> {
    const known = this.#known.get(keyText(key));
    const revision = this.#parts.table.get(key)?.instance.revision;
    if (this.#state !== 'together' || known?.kind !== 'lease' || known.listed !== revision) return false;
    return this.#departures.noticed(known.revision, limitMs, call);
  }

  /** Leases that lapsed. */
  lapsed(keys: readonly InstanceKey[]): void {
    this.#evictions.lapsed(keys);
  }

  /** An operator says that these are gone. @throws FlotillaError UNAVAILABLE while the engine is away */
  evict(keys: readonly InstanceKey[]): void {
    if (this.#state !== 'together') {
      const detail = `nobody is evicted while ${this.#parts.engine.name} cannot be reached: ${this.#reason ?? this.#state}`;
      throw new FlotillaError('UNAVAILABLE', detail, { retryAfterMs: 5_000 });
    }
    this.#evictions.evict(keys);
  }

  listing(): void {
    this.#known.beginListing();
  }

  listed(): void {
    // What the engine does not have any more stays listed for one term: its owner's next renewal writes it again.
    this.#parts.metrics.engineListings.add();
    this.#resume(this.#known.endListing().length);
  }

  back(): void {
    this.#resume(0);
  }

  away(reason: FlotillaError): void {
    const { log, engine } = this.#parts;
    if (this.#state === 'away') return;
    this.#reason = reason.detail;
    this.#enter('away');
    this.#members = [];
    this.#departures.members(undefined);
    this.#outbox.giveUp();
    log.engineAway({ engine: engine.name, unsynced: this.#outbox.size }, reason);
  }

  members(nodes: readonly string[]): void {
    this.#members = nodes;
    this.#departures.members(nodes);
  }

  heard(node: string, text: string): void {
    if (node === this.#parts.node) return;
    this.#departures.heard(node, text);
    const moment = this.#moment();
    for (const key of this.#renewals.read(text)) this.#parts.table.renew(keyOfText(key), moment);
  }

  changed(key: string, record: EngineRecord | undefined): void {
    this.#inbox.changed(key, record);
    this.#noteListed(key);
  }

  /** Somebody may leave by what the engine and this node now list alike. */
  #noteListed(key: string): void {
    const known = this.#known.get(key);
    const instance = known?.kind === 'lease' && this.#parts.table.get(keyOfText(key))?.instance;
    if (instance && known.listed === instance.revision) this.#departures.listed(instance, known.revision);
  }

  get #evicts(): boolean {
    return this.#state === 'together' && this.#members[0] === this.#parts.node;
  }

  #resume(absent: number): void {
    const { table, log, engine } = this.#parts;
    const was = this.#state;
    table.restartTerms(this.#moment());
    this.#enter('together');
    log.engineTogether({ engine: engine.name, leases: table.size, unsynced: this.#outbox.size, absent, was });
    this.#started?.();
    this.#outbox.resume();
  }

  /** Whether the engine has just what this operation left. */
  #isListed(text: string, { kind, lease }: Operation): boolean {
    return (
      kind !== 'deregistered' && !this.#outbox.has(text) && this.#known.get(text)?.listed === lease.instance.revision
    );
  }

  async #within(limitMs: number, work: readonly Promise<unknown>[]): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#parts.clock.setTimer(limitMs, resolve, { background: true });
    });
    await Promise.race([Promise.all(work), late]);
    timer?.cancel();
  }

  #enter(state: EngineState['state']): void {
    this.#state = state;
    this.#since = this.#moment().wallAt;
    if (state === 'together') this.#reason = undefined;
    this.#parts.metrics.engineTogether.with({}).set(state === 'together' ? 1 : 0);
  }

  #moment(): Moment {
    return momentOf(this.#parts.clock);
  }
}

const resolved = Promise.resolve();
