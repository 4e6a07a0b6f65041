import { type Clock, FlotillaError, type Random, type Timer, toFlotillaError } from '@flotilla/core';
import type { InstanceKey } from '../lease/lease-table.ts';
import type { RegistryLog } from '../server/log.ts';
import type { RegistryMetrics } from '../server/metrics.ts';
import type { EngineRecord, LeaseEngine } from './engine.ts';
import type { KnownRecords } from './known-records.ts';
import type { LocalChange } from './local-changes.ts';
import { Pending } from './pending.ts';
import { type Kept, keyText, recordText } from './record-text.ts';

/** What this node lists of an instance, as it goes into a write. */
export interface Outgoing {
  readonly kept: Kept;
  /** Revision of the node's table that listed it; -1: it is not listed. */
  readonly listed: number;
}

/** What an {@link Outbox} needs. */
export interface OutboxParts {
  readonly engine: Pick<LeaseEngine, 'name' | 'write'>;
  readonly known: KnownRecords;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<RegistryLog, 'engineWriteFailed'>;
  readonly metrics: Pick<RegistryMetrics, 'engineUnsynced' | 'engineWrites'>;
  /** Whether the engine is there. When it is again, {@link Outbox.resume}. */
  readonly isOpen: () => boolean;
  /** What the node lists of it now; undefined: nothing that the engine would have to know. */
  readonly outgoing: (pending: Pending) => Outgoing | undefined;
  /** It is in the engine. `pending.seen` tells what others wrote on top of it before the answer came. */
  readonly written: (pending: Pending, revision: number, outgoing: Outgoing) => void;
  /** Somebody wrote first. @returns true: the engine has all that this node was told, all the same. */
  readonly overtaken: (pending: Pending, current: EngineRecord | undefined) => boolean;
}

/** Writes under way at a time, each of another record. The engine sends them together where that is cheaper. */
const maxWrites = 1_024;
/** A change is acknowledged within this, or refused. */
const settleMs = 2_000;
const longestRetryMs = 5_000;

/**
 * What a node was told and the engine does not have yet, one {@link Pending} per instance.
 *
 * | state of one | exits |
 * |---|---|
 * | queued | its turn, while the engine is there → written |
 * | being written | there → gone, or queued if more was said meanwhile; somebody wrote first → queued, on top of that; failed → waiting |
 * | waiting: a jittered back-off up to 5 s | over → queued |
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #pending = new Map<string, Pending>();
  /** Keys in {@link #pending} that wait for a write. */
  readonly #queue = new Set<string>();
  readonly #retries = new Set<Timer>();
  #writes = 0;
  #stopped = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Instances of which the engine does not have the latest. */
  get size(): number {
    return this.#pending.size;
  }

  has(text: string): boolean {
    return this.#pending.has(text);
  }

  get(text: string): Pending | undefined {
    return this.#pending.get(text);
  }

  add(key: InstanceKey, change: LocalChange): void {
    const text = keyText(key);
    const pending = this.#pending.get(text) ?? new Pending(key);
    this.#pending.set(text, pending);
    pending.add(change);
    this.#noteSize();
    this.#queue.add(text);
    this.#pump();
  }

  /** The record is gone: what was written on top of it has to be written anew. */
  again(text: string): void {
    if (this.#pending.has(text)) this.#queue.add(text);
  }

  /** The engine is there. */
  resume(): void {
    for (const text of this.#pending.keys()) this.#queue.add(text);
    this.#pump();
  }

  /**
   * Resolves when the engine has what was said so far of an instance (absent: of all), or {@link giveUp}.
   * @throws FlotillaError UNAVAILABLE after 2 s: the engine is slow. It is still written, and may be said again.
   */
  async settled(key?: InstanceKey): Promise<void> {
    const one = key && this.#pending.get(keyText(key));
    const all = key ? (one ? [one] : []) : [...this.#pending.values()];
    if (all.length === 0) return;
    const { clock, engine } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      let open = all.length;
      const late = clock.setTimer(settleMs, () => reject(slow(engine.name)), { background: true });
      const done = (): void => {
        if (--open > 0) return;
        late.cancel();
        resolve();
      };
      for (const pending of all) pending.wait(done);
    });
  }

  /** The engine is away: nobody waits for it. */
  giveUp(): void {
    for (const pending of this.#pending.values()) for (const tell of pending.giveUp()) tell();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#retries) timer.cancel();
    this.giveUp();
  }

  #pump(): void {
    for (const text of this.#queue) {
      if (!this.#parts.isOpen() || this.#writes >= maxWrites || this.#stopped) return;
      const pending = this.#pending.get(text);
      this.#queue.delete(text);
      if (pending && !pending.isWriting) void this.#push(pending);
    }
  }

  async #push(pending: Pending): Promise<void> {
    const { engine, known, outgoing: outgoingOf, written: tell } = this.#parts;
    const outgoing = outgoingOf(pending);
    pending.begin();
    const alive = pending.changes.some(({ kind }) => kind !== 'overrideSet');
    if (!outgoing) {
      this.#done(pending);
      return;
    }
    this.#writes++;
    try {
      const text = recordText({ kept: outgoing.kept, alive });
      const written = await engine.write(pending.text, text, known.get(pending.text)?.revision ?? 0);
      this.#count(written.outcome);
      if (written.outcome === 'conflict') this.#conflict(pending, written.current);
      else {
        // Before it is done: what is told on top of it has to know what else was said meanwhile.
        const waiters = pending.written();
        tell(pending, written.revision, outgoing);
        this.#close(pending, waiters);
      }
    } catch (error) {
      this.#failed(pending, toFlotillaError(error));
    } finally {
      this.#writes--;
      this.#pump();
    }
  }

  #conflict(pending: Pending, current: EngineRecord | undefined): void {
    pending.failed();
    if (this.#parts.overtaken(pending, current)) {
      pending.begin();
      this.#done(pending);
    } else this.#retry(pending, pending.failures > 2 ? 20 * pending.failures : 0);
  }

  #failed(pending: Pending, error: FlotillaError): void {
    this.#count(error.executed === 'no' ? 'failed' : 'unknown');
    pending.failed();
    if (pending.failures === 1) this.#parts.log.engineWriteFailed({ ...pending.key }, error);
    this.#retry(pending, Math.min(longestRetryMs, 100 * 2 ** Math.min(pending.failures, 6)));
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

  #close(pending: Pending, waiters: readonly (() => void)[]): void {
    if (pending.changes.length > 0) this.#queue.add(pending.text);
    else this.#pending.delete(pending.text);
    this.#noteSize();
    for (const tell of waiters) tell();
  }

  #noteSize(): void {
    this.#parts.metrics.engineUnsynced.with({}).set(this.#pending.size);
  }

  #count(outcome: 'written' | 'conflict' | 'failed' | 'unknown'): void {
    this.#parts.metrics.engineWrites.with({ outcome }).add();
  }
}

function slow(engine: string): FlotillaError {
  const detail = `${engine} did not take it in within ${settleMs} ms; it goes on being tried, and may be said again`;
  return new FlotillaError('UNAVAILABLE', detail, { executed: 'unknown', retryAfterMs: 1_000 });
}
