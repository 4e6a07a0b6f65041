import { isDeepStrictEqual } from 'node:util';
import { type Clock, FlotillaError, formatIdentity, type Random, type Timer, toFlotillaError } from '@flotilla/core';
import type { InstanceKey, LeaseTable, Sweeping } from '../lease/lease-table.ts';
import { type RegistryLimits, tombstoneLeases } from '../lease/limits.ts';
import { type Moment, momentOf } from '../lease/moment.ts';
import type { SavedTombstone } from '../lease/stored-state.ts';
import type { RegistryLog } from '../server/log.ts';
import type { RegistryMetrics } from '../server/metrics.ts';
import type { Operation } from '../server/operations.ts';
import { bulletinTexts, readBulletin } from './bulletin.ts';
import { type EngineListener, type EngineRecord, type LeaseEngine, longestEngineText } from './engine.ts';
import { KnownRecords } from './known-records.ts';
import { changeOf, type LocalChange, rebase } from './local-changes.ts';
import { Pending, Settlement } from './pending.ts';
import { type Kept, keyOfText, keyText, type RecordContent, readRecord, recordText } from './record-text.ts';

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
}

/** Renewals are told to the other nodes this often. */
const bulletinEveryMs = 1_000;
/** A lease lapses this much after its end: two bulletins may be late. */
const graceMs = 2_000;
/** A change is answered no later than this, whether the engine has it or not. */
const settleMs = 2_000;
/** A start waits this long without a word of the engine, then goes on without it. */
const startMs = 10_000;
/** Last words, when the node stops, wait this long. */
const farewellMs = 2_000;
/** Writes under way at a time, each of another record. The engine sends them together where that is cheaper. */
const maxWrites = 1_024;
const tombstoneSweepMs = 10_000;
/** Tombstones removed in one round. */
const maxRemoved = 200;

/**
 * Makes several registry nodes in front of one engine one registry. Every node holds all leases in its own table and
 * answers from it; the engine holds one record per instance, a lease or a tombstone, written only on top of the write
 * that this node saw last. What a node is told is in its table at once and in the engine before it is acknowledged
 * ({@link settled}). When somebody else wrote first, what this node was told is said again on top of that.
 *
 * Renewals are no writes: each node publishes once a second which records were renewed at it. One node evicts, so that
 * the others need not try; that it is one is no promise: an eviction is a write like any other.
 *
 * | state | reads, watches | renewals | changes | evictions | exits |
 * |---|---|---|---|---|---|
 * | starting | what the node's own store held | taken | in memory, unsynced | none | listed → together |
 * | together | what all nodes list | told to all | written, then acknowledged | by one node | engine away → away |
 * | away | last known | taken | in memory, unsynced, said | none | listed → together: merged, written, every lease has a full term |
 */
export class SharedLeases implements EngineListener {
  readonly #parts: SharedLeasesParts;
  readonly #known = new KnownRecords();
  readonly #pending = new Map<string, Pending>();
  /** Keys in {@link #pending} that wait for a write. */
  readonly #queue = new Set<string>();
  readonly #settlement = new Settlement();
  #renewed = new Set<string>();
  readonly #unread = new Set<string>();
  #state: EngineState['state'] = 'starting';
  #since = 0;
  #reason: string | undefined;
  #members: readonly string[] = [];
  #writes = 0;
  #stopped = false;
  #started: (() => void) | undefined;
  #bulletinTimer: Timer | undefined;
  #tombstoneTimer: Timer | undefined;
  readonly #retries = new Set<Timer>();

  constructor(parts: SharedLeasesParts) {
    this.#parts = parts;
  }

  get state(): EngineState {
    return {
      name: this.#parts.engine.name,
      state: this.#state,
      since: this.#since,
      ...(this.#reason === undefined ? undefined : { reason: this.#reason }),
      unsynced: this.#pending.size,
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
    this.#armBulletin();
    this.#armTombstones();
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
    this.#bulletinTimer?.cancel();
    this.#tombstoneTimer?.cancel();
    if (this.#state === 'together') await this.#within(farewellMs, [this.#settlement.settled(), this.#publish()]);
    this.#stopped = true;
    for (const timer of this.#retries) timer.cancel();
    this.#started?.();
    this.#settlement.giveUp();
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
      if (operation.kind !== 'overrideSet') this.#renewed.add(text);
      return;
    }
    // Its owner lives, but the engine knows nothing of it: it is registered there with what this node knows.
    const change = changeOf(operation) ?? changeOf({ ...operation, kind: 'registered' });
    if (change && !(operation.kind === 'renewed' && this.#pending.has(text))) this.#enqueue(key, change);
  }

  /**
   * Resolves when everything that this node was told so far is in the engine; after 2 s, and at once while the engine is
   * away, also without: then it is in this node's memory alone until the engine is back, and counts as unsynced.
   */
  settled(): Promise<void> {
    if (this.#state !== 'together') return resolved;
    const settled = this.#settlement.settled();
    return this.#pending.size === 0 ? settled : this.#within(settleMs, [settled]);
  }

  /** Leases that lapsed. The engine is asked, if it knows of them and this node is the one that asks. */
  lapsed(keys: readonly InstanceKey[]): void {
    const moment = this.#moment();
    for (const key of keys) {
      const text = keyText(key);
      if (this.#pending.has(text)) continue;
      const stone = this.#stoneOf(key, 'evicted', moment);
      if (!stone) continue;
      if (this.#known.get(text)?.kind !== 'lease') this.#parts.table.drop(stone, moment);
      else if (this.#evicts) void this.#evict(text, stone);
    }
  }

  /** An operator says that these are gone. @throws FlotillaError UNAVAILABLE while the engine is away */
  evict(keys: readonly InstanceKey[]): void {
    if (this.#state !== 'together') {
      const detail = `nobody is evicted while ${this.#parts.engine.name} cannot be reached: ${this.#reason ?? this.#state}`;
      throw new FlotillaError('UNAVAILABLE', detail, { retryAfterMs: 5_000 });
    }
    const moment = this.#moment();
    for (const key of keys) {
      const stone = this.#stoneOf(key, 'evicted', moment);
      if (stone && this.#known.get(keyText(key))?.kind === 'lease') void this.#evict(keyText(key), stone);
      else if (stone) this.#parts.table.drop(stone, moment);
    }
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
    this.#settlement.giveUp();
    log.engineAway({ engine: engine.name, unsynced: this.#pending.size }, reason);
  }

  members(nodes: readonly string[]): void {
    this.#members = nodes;
  }

  heard(node: string, text: string): void {
    const { table, node: self } = this.#parts;
    if (node === self) return;
    const moment = this.#moment();
    for (const revision of readBulletin(text)) {
      const key = this.#known.keyAt(revision);
      if (key !== undefined) table.renew(keyOfText(key), moment);
    }
  }

  changed(key: string, record: EngineRecord | undefined): void {
    if (!record) {
      this.#removed(key);
      return;
    }
    const known = this.#known.get(key);
    if (known && known.revision >= record.revision) {
      this.#known.confirm(key);
      return;
    }
    const content = this.#read(key, record);
    if (content) this.#merge(key, record.revision, content);
    else this.#known.learn(key, record.revision, 'lease', -1);
  }

  #resume(absent: number): void {
    const { table, log, engine } = this.#parts;
    const was = this.#state;
    table.restartTerms(this.#moment());
    this.#enter('together');
    const unsynced = this.#pending.size;
    log.engineTogether({ engine: engine.name, leases: table.size, unsynced, absent, was });
    for (const key of this.#pending.keys()) this.#queue.add(key);
    this.#started?.();
    this.#pump();
  }

  get #evicts(): boolean {
    return this.#state === 'together' && this.#members[0] === this.#parts.node;
  }

  /** Whether the engine has just what this operation left. */
  #isListed(text: string, { kind, lease }: Operation): boolean {
    return (
      kind !== 'deregistered' && !this.#pending.has(text) && this.#known.get(text)?.listed === lease.instance.revision
    );
  }

  #enqueue(key: InstanceKey, change: LocalChange): void {
    const text = keyText(key);
    const pending = this.#pending.get(text) ?? new Pending(key);
    this.#pending.set(text, pending);
    pending.add(change, this.#settlement.opened());
    this.#noteUnsynced();
    this.#queue.add(text);
    this.#pump();
  }

  #pump(): void {
    for (const text of this.#queue) {
      if (this.#state !== 'together' || this.#writes >= maxWrites || this.#stopped) return;
      const pending = this.#pending.get(text);
      this.#queue.delete(text);
      if (pending && !pending.isWriting) void this.#push(pending);
    }
  }

  async #push(pending: Pending): Promise<void> {
    const { engine, table } = this.#parts;
    const { text, key } = pending;
    const kept = this.#keptOf(pending);
    const listed = table.get(key)?.instance.revision ?? -1;
    pending.begin();
    const alive = pending.changes.some(({ kind }) => kind !== 'overrideSet');
    if (!kept) {
      this.#done(pending);
      return;
    }
    this.#writes++;
    try {
      const written = await engine.write(text, recordText({ kept, alive }), this.#known.get(text)?.revision ?? 0);
      if (written.outcome === 'written') this.#written(pending, written.revision, kept, listed);
      else this.#conflict(pending, written.current);
    } catch (error) {
      this.#failed(pending, toFlotillaError(error));
    } finally {
      this.#writes--;
      this.#pump();
    }
  }

  /** What the table says of it now. */
  #keptOf({ key, changes }: Pending): Kept | undefined {
    const moment = this.#moment();
    const lease = this.#parts.table.get(key);
    if (lease) {
      const { expiresAt: _, ...saved } = lease;
      return { lease: saved };
    }
    const farewell = changes.find((change) => change.kind === 'deregistered');
    const known = this.#parts.table.tombstone(key, moment);
    const incarnation = Math.max(known?.incarnation ?? 0, farewell?.incarnation ?? 0);
    const until = this.#tombstoneUntil(moment);
    return farewell && { gone: { ...key, incarnation, reason: 'deregistered', until } };
  }

  #written(pending: Pending, revision: number, kept: Kept, listed: number): void {
    const { text, seen } = pending;
    this.#count('written');
    const numbers = pending.written();
    // A newer record of another node, made on top of this write, came before the answer.
    if (seen && seen.revision > revision) this.#put(pending, seen.kept, true);
    else this.#known.learn(text, revision, 'gone' in kept ? 'gone' : 'lease', listed);
    this.#close(pending, numbers);
  }

  #conflict(pending: Pending, current: EngineRecord | undefined): void {
    this.#count('conflict');
    pending.failed();
    if (current) {
      const content = this.#read(pending.text, current);
      const known = this.#known.get(pending.text);
      if (content && (known?.revision ?? 0) <= current.revision) {
        if (this.#merge(pending.text, current.revision, content)) {
          // Just that was written already: by the write whose answer did not come.
          pending.begin();
          this.#done(pending);
          return;
        }
      } else if (!content) this.#known.learn(pending.text, current.revision, 'lease', -1);
    } else this.#known.forget(pending.text);
    this.#retry(pending, pending.failures > 2 ? 20 * pending.failures : 0);
  }

  #failed(pending: Pending, error: FlotillaError): void {
    this.#count(error.executed === 'no' ? 'failed' : 'unknown');
    pending.failed();
    if (pending.failures === 1) this.#parts.log.engineWriteFailed({ ...pending.key }, error);
    this.#retry(pending, Math.min(5_000, 100 * 2 ** Math.min(pending.failures, 6)));
  }

  #retry(pending: Pending, waitMs: number): void {
    if (this.#stopped) return;
    if (waitMs === 0) {
      this.#queue.add(pending.text);
      return;
    }
    const { clock, random } = this.#parts;
    const timer = clock.setTimer(
      waitMs * (0.5 + random() / 2),
      () => {
        this.#retries.delete(timer);
        this.#queue.add(pending.text);
        this.#pump();
      },
      { background: true },
    );
    this.#retries.add(timer);
  }

  #done(pending: Pending): void {
    this.#close(pending, pending.written());
  }

  #close(pending: Pending, numbers: readonly number[]): void {
    this.#settlement.closed(numbers);
    if (pending.changes.length > 0) this.#queue.add(pending.text);
    else this.#pending.delete(pending.text);
    this.#noteUnsynced();
  }

  /** A record of another node, or an own one that comes back. @returns whether the engine has all that this node was told. */
  #merge(key: string, revision: number, { kept, alive }: RecordContent): boolean {
    const pending = this.#pending.get(key);
    if (pending) {
      pending.seen = { kept, revision };
      this.#known.learn(key, revision, 'gone' in kept ? 'gone' : 'lease', -1);
      return this.#put(pending, kept, alive);
    }
    const objection = this.#objection(key, kept);
    if (objection) {
      this.#known.learn(key, revision, 'gone', -1);
      this.#enqueue(keyOfText(key), objection);
      return false;
    }
    const incarnation = this.#ownFarewell(key, kept);
    if (incarnation !== undefined) {
      this.#known.learn(key, revision, 'lease', -1);
      this.#enqueue(keyOfText(key), { kind: 'deregistered', incarnation });
      return false;
    }
    this.#apply(kept, alive);
    this.#learnApplied(key, revision, kept);
    return true;
  }

  /** What this node was told, said again on top of a record. */
  #put(pending: Pending, kept: Kept | undefined, alive: boolean): boolean {
    const { limits } = this.#parts;
    const result = rebase(kept, pending.changes, this.#moment(), limits);
    if (result) this.#apply(result, alive);
    return sameListing(kept, result);
  }

  /** Whoever evicted it did not know of renewals that came here: it is written again. */
  #objection(key: string, kept: Kept): LocalChange | undefined {
    if (!('gone' in kept) || kept.gone.reason !== 'evicted' || !this.#renewed.has(key)) return undefined;
    const lease = this.#parts.table.get(keyOfText(key));
    if (!lease || lease.instance.incarnation < kept.gone.incarnation) return undefined;
    return { kind: 'registered', instance: { ...lease.instance, incarnation: lease.declaredIncarnation } };
  }

  /** The incarnation of a farewell that reached this node before the registration did, and so ended nothing. */
  #ownFarewell(key: string, kept: Kept): number | undefined {
    if ('gone' in kept || this.#known.get(key)?.kind === 'gone') return undefined;
    const stone = this.#parts.table.tombstone(keyOfText(key), this.#moment());
    const ends = stone?.reason === 'deregistered' && stone.incarnation >= kept.lease.instance.incarnation;
    return ends ? stone.incarnation : undefined;
  }

  #learnApplied(key: string, revision: number, kept: Kept): void {
    const listed = 'lease' in kept ? (this.#parts.table.get(keyOfText(key))?.instance.revision ?? -1) : -1;
    this.#known.learn(key, revision, 'gone' in kept ? 'gone' : 'lease', listed);
  }

  #apply(kept: Kept, alive: boolean): void {
    const { table, log } = this.#parts;
    const moment = this.#moment();
    if ('gone' in kept) table.drop(kept.gone, moment);
    else if (!table.adopt(kept.lease, alive, moment)) log.engineOverfull({ instance: kept.lease.instance.id });
  }

  /** Only tombstones are removed. A lease that somebody took out by hand stays for its term: its owner may live. */
  #removed(key: string): void {
    this.#known.forget(key);
    this.#parts.table.forget(keyOfText(key));
    if (this.#pending.has(key)) this.#queue.add(key);
  }

  async #evict(text: string, stone: SavedTombstone): Promise<void> {
    const { engine, log } = this.#parts;
    const known = this.#known.get(text);
    if (!known || this.#pending.has(text)) return;
    try {
      const record = recordText({ kept: { gone: stone }, alive: false });
      const written = await engine.write(text, record, known.revision);
      this.#count(written.outcome);
      // Somebody wrote meanwhile: it lives, or it is gone already. The record tells, and comes.
      if (written.outcome === 'conflict') {
        this.changed(text, written.current);
        return;
      }
      // It came back as a change before the answer: whoever registered since, and is about to be written, is not to be dropped.
      if ((this.#known.get(text)?.revision ?? 0) >= written.revision) return;
      this.#merge(text, written.revision, { kept: { gone: stone }, alive: false });
    } catch (error) {
      // The next sweep sees whether it is still there.
      log.engineWriteFailed({ service: stone.service, id: stone.id }, toFlotillaError(error));
    }
  }

  #stoneOf(key: InstanceKey, reason: SavedTombstone['reason'], moment: Moment): SavedTombstone | undefined {
    const lease = this.#parts.table.get(key);
    if (!lease) return undefined;
    const { incarnation, override } = lease.instance;
    const until = this.#tombstoneUntil(moment);
    return { ...key, incarnation, reason, ...(override ? { override } : undefined), until };
  }

  /** Shown to whoever reads the engine; each node keeps a tombstone by its own clock. */
  #tombstoneUntil({ wallAt }: Moment): number {
    return Math.ceil(wallAt + tombstoneLeases * this.#parts.limits.longestLeaseMs);
  }

  #read(key: string, { text }: EngineRecord): RecordContent | undefined {
    try {
      if (text.length > longestEngineText) throw new FlotillaError('INVALID_INPUT', `it has ${text.length} characters`);
      return readRecord(key, text, this.#parts.limits);
    } catch (error) {
      if (this.#unread.size < 1_000 && !this.#unread.has(key)) {
        this.#unread.add(key);
        this.#parts.log.engineRecordUnread({ key: key.replace('\n', '/') }, error);
      }
      return undefined;
    }
  }

  #armBulletin(): void {
    const fire = (): void => {
      void this.#publish();
      this.#armBulletin();
    };
    this.#bulletinTimer = this.#parts.clock.setTimer(bulletinEveryMs, fire, { background: true });
  }

  /** Tells the other nodes whose renewals came here. What cannot be told waits for the next time. */
  async #publish(): Promise<void> {
    if (this.#state !== 'together' || this.#renewed.size === 0) return;
    const renewed = this.#renewed;
    this.#renewed = new Set();
    const revisions: number[] = [];
    for (const key of renewed) {
      const known = this.#known.get(key);
      if (known?.kind === 'lease') revisions.push(known.revision);
    }
    try {
      for (const text of bulletinTexts(revisions)) await this.#parts.engine.publish(text);
    } catch {
      for (const key of renewed) this.#renewed.add(key);
    }
  }

  #armTombstones(): void {
    const fire = (): void => {
      void this.#removeTombstones();
      this.#armTombstones();
    };
    this.#tombstoneTimer = this.#parts.clock.setTimer(tombstoneSweepMs, fire, { background: true });
  }

  async #removeTombstones(): Promise<void> {
    if (!this.#evicts) return;
    const { engine, table } = this.#parts;
    const moment = this.#moment();
    let removed = 0;
    for (const key of [...this.#known.gone]) {
      const known = this.#known.get(key);
      const isOver = !table.tombstone(keyOfText(key), moment) && !this.#pending.has(key);
      if (!isOver || !known) continue;
      if (++removed > maxRemoved) return;
      try {
        if (await engine.remove(key, known.revision)) this.#known.forget(key);
      } catch {
        return; // the next round
      }
    }
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

  #noteUnsynced(): void {
    this.#parts.metrics.engineUnsynced.with({}).set(this.#pending.size);
  }

  #count(outcome: 'written' | 'conflict' | 'failed' | 'unknown'): void {
    this.#parts.metrics.engineWrites.with({ outcome }).add();
  }

  #moment(): Moment {
    return momentOf(this.#parts.clock);
  }
}

/** Whether two records list the same, whenever they were written. */
function sameListing(a: Kept | undefined, b: Kept | undefined): boolean {
  if (!a || !b) return a === b;
  if ('gone' in a) return 'gone' in b && a.gone.reason === b.gone.reason && a.gone.incarnation === b.gone.incarnation;
  if ('gone' in b || a.lease.declaredIncarnation !== b.lease.declaredIncarnation) return false;
  return isDeepStrictEqual({ ...a.lease.instance, revision: 0 }, { ...b.lease.instance, revision: 0 });
}

const resolved = Promise.resolve();
