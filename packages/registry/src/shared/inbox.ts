import { type Clock, FlotillaError } from '@flotilla/core';
import type { InstanceKey, LeaseTable } from '../lease/lease-table.ts';
import type { RegistryLimits } from '../lease/limits.ts';
import { momentOf } from '../lease/moment.ts';
import type { RegistryLog } from '../server/log.ts';
import { type EngineRecord, longestEngineText } from './engine.ts';
import type { KnownRecords } from './known-records.ts';
import { type LocalChange, rebase, registrationOf } from './local-changes.ts';
import type { Outgoing } from './outbox.ts';
import type { Pending } from './pending.ts';
import { type Kept, keyOfText, listsSame, type RecordContent, readRecord } from './record-text.ts';

/** What an {@link Inbox} needs. */
export interface InboxParts {
  readonly table: LeaseTable;
  readonly known: KnownRecords;
  readonly limits: RegistryLimits;
  readonly clock: Clock;
  readonly log: Pick<RegistryLog, 'engineRecordUnread' | 'engineOverfull'>;
  /** What this node was told of it and the engine does not have. */
  readonly pendingOf: (text: string) => Pending | undefined;
  /** Has something written, as if this node had just been told. */
  readonly say: (key: InstanceKey, change: LocalChange) => void;
  /** What was written on top of a record that is gone has to be written anew. */
  readonly sayAgain: (text: string) => void;
  /** Whether renewals came here of which the other nodes do not know. */
  readonly isRenewed: (text: string) => boolean;
}

/** Records that are not understood are said once each, up to so many. */
const mostUnread = 1_000;

/** Takes into a node's table what the engine holds; what this node was told stays on top of it until that is written. */
export class Inbox {
  readonly #parts: InboxParts;
  readonly #unread = new Set<string>();

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** A record as the engine holds it now; undefined: none. What is older than what is known is nothing new. */
  changed(key: string, record: EngineRecord | undefined): void {
    if (!record) {
      this.#removed(key);
      return;
    }
    const { known } = this.#parts;
    if ((known.get(key)?.revision ?? 0) >= record.revision) {
      known.confirm(key);
      return;
    }
    const content = this.#read(key, record);
    if (content) this.take(key, record.revision, content);
    else known.learn(key, record.revision, 'lease', -1);
  }

  /** A record of another node, or an own one that comes back. @returns whether the engine has all that this node was told. */
  take(key: string, revision: number, { kept, alive }: RecordContent): boolean {
    const { known, pendingOf, say } = this.#parts;
    const pending = pendingOf(key);
    if (pending) {
      pending.seen = { kept, revision };
      known.learn(key, revision, kindOf(kept), -1);
      return this.#put(pending, kept, alive);
    }
    const answer = this.#objection(key, kept) ?? this.#ownFarewell(key, kept);
    if (answer) {
      known.learn(key, revision, kindOf(kept), -1);
      say(keyOfText(key), answer);
      return false;
    }
    this.#apply(kept, alive);
    const listed = 'lease' in kept ? (this.#parts.table.get(keyOfText(key))?.instance.revision ?? -1) : -1;
    known.learn(key, revision, kindOf(kept), listed);
    return true;
  }

  /** An own write is in the engine. */
  written(pending: Pending, revision: number, { kept, listed }: Outgoing): void {
    const { seen, text } = pending;
    // A newer record of another node, made on top of this write, came before the answer.
    if (seen && seen.revision > revision) this.#put(pending, seen.kept, true);
    else this.#parts.known.learn(text, revision, kindOf(kept), listed);
  }

  /** An own write came too late. @returns whether the engine has all that this node was told: by a write whose answer got lost. */
  overtaken(pending: Pending, current: EngineRecord | undefined): boolean {
    const { known } = this.#parts;
    const { text } = pending;
    if (!current) {
      known.forget(text);
      return false;
    }
    const content = this.#read(text, current);
    if (!content) known.learn(text, current.revision, 'lease', -1);
    else if ((known.get(text)?.revision ?? 0) <= current.revision) return this.take(text, current.revision, content);
    return false;
  }

  /** What this node was told, said again on top of a record. */
  #put(pending: Pending, kept: Kept | undefined, alive: boolean): boolean {
    const { limits, clock } = this.#parts;
    const result = rebase(kept, pending.changes, momentOf(clock), limits);
    if (result) this.#apply(result, alive);
    return listsSame(kept, result);
  }

  /** Whoever evicted it did not know of renewals that came here: it is written again. */
  #objection(key: string, kept: Kept): LocalChange | undefined {
    if (!('gone' in kept) || kept.gone.reason !== 'evicted' || !this.#parts.isRenewed(key)) return undefined;
    const lease = this.#parts.table.get(keyOfText(key));
    return lease && lease.instance.incarnation >= kept.gone.incarnation ? registrationOf(lease) : undefined;
  }

  /** A farewell that reached this node before the registration did, and so ended nothing. */
  #ownFarewell(key: string, kept: Kept): LocalChange | undefined {
    const { known, table, clock } = this.#parts;
    if ('gone' in kept || known.get(key)?.kind === 'gone') return undefined;
    const stone = table.tombstone(keyOfText(key), momentOf(clock));
    if (stone?.reason !== 'deregistered' || stone.incarnation < kept.lease.instance.incarnation) return undefined;
    const { incarnation, declaredIncarnation: declared } = stone;
    return {
      kind: 'deregistered',
      incarnation,
      ...(declared === undefined ? undefined : { declaredIncarnation: declared }),
    };
  }

  #apply(kept: Kept, alive: boolean): void {
    const { table, log, clock } = this.#parts;
    const moment = momentOf(clock);
    if ('gone' in kept) table.drop(kept.gone, moment);
    else if (!table.adopt(kept.lease, alive, moment)) log.engineOverfull({ instance: kept.lease.instance.id });
  }

  /** Only tombstones are removed. A lease that somebody took out by hand stays for its term: its owner may live. */
  #removed(key: string): void {
    this.#parts.known.forget(key);
    this.#parts.table.forget(keyOfText(key));
    this.#parts.sayAgain(key);
  }

  #read(key: string, { text }: EngineRecord): RecordContent | undefined {
    try {
      if (text.length > longestEngineText) throw new FlotillaError('INVALID_INPUT', `it has ${text.length} characters`);
      return readRecord(key, text, this.#parts.limits);
    } catch (error) {
      if (this.#unread.size < mostUnread && !this.#unread.has(key)) {
        this.#unread.add(key);
        this.#parts.log.engineRecordUnread({ key: key.replace('\n', '/') }, error);
      }
      return undefined;
    }
  }
}

function kindOf(kept: Kept): 'lease' | 'gone' {
  return 'gone' in kept ? 'gone' : 'lease';
}
