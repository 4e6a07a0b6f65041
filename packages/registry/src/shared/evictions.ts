import { type Clock, type Timer, toFlotillaError } from '@flotilla/core';
import type { InstanceKey, LeaseTable } from '../lease/lease-table.ts';
import { momentOf } from '../lease/moment.ts';
import type { SavedTombstone } from '../lease/stored-state.ts';
import type { RegistryLog } from '../server/log.ts';
import type { RegistryMetrics } from '../server/metrics.ts';
import type { LeaseEngine } from './engine.ts';
import type { Inbox } from './inbox.ts';
import type { KnownRecords } from './known-records.ts';
import type { Outbox } from './outbox.ts';
import { keyOfText, keyText, recordText } from './record-text.ts';
import type { TableRecords } from './table-records.ts';

/** What {@link Evictions} need. */
export interface EvictionsParts {
  readonly engine: LeaseEngine;
  readonly table: LeaseTable;
  readonly records: TableRecords;
  readonly known: KnownRecords;
  readonly inbox: Pick<Inbox, 'changed' | 'take'>;
  readonly outbox: Pick<Outbox, 'has'>;
  readonly clock: Clock;
  readonly log: Pick<RegistryLog, 'engineWriteFailed'>;
  readonly metrics: Pick<RegistryMetrics, 'engineWrites'>;
  /** Whether it is this node that evicts for all. */
  readonly isMine: () => boolean;
}

const tombstoneSweepMs = 10_000;
/** Tombstones removed in one round. */
const maxRemoved = 200;

/** Takes out of the engine whose lease lapsed, and the tombstones that nobody needs any more. */
export class Evictions {
  readonly #parts: EvictionsParts;
  #timer: Timer | undefined;
  /** How many of a service the engine is being asked about. */
  readonly #underWay = new Map<string, number>();

  constructor(parts: EvictionsParts) {
    this.#parts = parts;
  }

  start(): void {
    const fire = (): void => {
      void this.#removeTombstones();
      this.start();
    };
    this.#timer = this.#parts.clock.setTimer(tombstoneSweepMs, fire, { background: true });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /**
   * Leases that lapsed, as many as may go. The engine is asked, if it knows of them and this node is the one that asks. While
   * the answer about some of a service is out, nobody else of it goes: those that go do not count yet for who may.
   */
  lapsed(keys: readonly InstanceKey[]): void {
    const { known, table, outbox, isMine } = this.#parts;
    const busy = new Set(this.#underWay.keys());
    for (const [text, stone] of this.#stones(keys)) {
      if (outbox.has(text) || busy.has(stone.service)) continue;
      if (known.get(text)?.kind !== 'lease') table.drop(stone, momentOf(this.#parts.clock));
      else if (isMine()) void this.#evict(text, stone);
    }
  }

  /** An operator says that these are gone, whichever node is asked. */
  evict(keys: readonly InstanceKey[]): void {
    const { known, table, clock } = this.#parts;
    for (const [text, stone] of this.#stones(keys)) {
      if (known.get(text)?.kind === 'lease') void this.#evict(text, stone);
      else table.drop(stone, momentOf(clock));
    }
  }

  *#stones(keys: readonly InstanceKey[]): Generator<[string, SavedTombstone], undefined> {
    const moment = momentOf(this.#parts.clock);
    for (const key of keys) {
      const stone = this.#parts.records.evicted(key, moment);
      if (stone) yield [keyText(key), stone];
    }
  }

  async #evict(text: string, stone: SavedTombstone): Promise<void> {
    const { engine, known, outbox, inbox, log, metrics } = this.#parts;
    const revision = known.get(text)?.revision;
    if (revision === undefined || outbox.has(text)) return;
    const content = { kept: { gone: stone }, alive: false };
    const { service } = stone;
    this.#underWay.set(service, (this.#underWay.get(service) ?? 0) + 1);
    try {
      const written = await engine.write(text, recordText(content), revision);
      metrics.engineWrites.with({ outcome: written.outcome }).add();
      // Somebody wrote meanwhile: it lives, or it is gone already. The record tells, and comes.
      if (written.outcome === 'conflict') inbox.changed(text, written.current);
      // It came back as a change before the answer: whoever registered since, and is about to be written, is not to be dropped.
      else if ((known.get(text)?.revision ?? 0) < written.revision) inbox.take(text, written.revision, content);
    } catch (error) {
      // The next sweep sees whether it is still there.
      log.engineWriteFailed({ service, id: stone.id }, toFlotillaError(error));
    } finally {
      const left = (this.#underWay.get(service) ?? 1) - 1;
      if (left > 0) this.#underWay.set(service, left);
      else this.#underWay.delete(service);
    }
  }

  async #removeTombstones(): Promise<void> {
    const { engine, table, known, outbox, clock, isMine } = this.#parts;
    if (!isMine()) return;
    const moment = momentOf(clock);
    let removed = 0;
    for (const key of [...known.gone]) {
      const record = known.get(key);
      const isOver = !table.tombstone(keyOfText(key), moment) && !outbox.has(key);
      if (!isOver || !record) continue;
      if (++removed > maxRemoved) return;
      try {
        if (await engine.remove(key, record.revision)) known.forget(key);
      } catch {
        return; // the next round
      }
    }
  }
}
