import { type Clock, FlotillaError, type Timer } from '@flotilla/core';
import type { StateDraft, StoredChange } from '../lease/stored-state.ts';
import type { RegistryLog } from './log.ts';
import type { RegistryMetrics } from './metrics.ts';
import type { RegistryStore } from './store.ts';

/** How it stands with what outlives the process. */
export interface Saving {
  /** False: there is no store, each start is an empty one. */
  readonly kept: boolean;
  /** Absent: what changes is saved. */
  readonly failing?: {
    /** Wall time of the first write that failed. */
    readonly since: number;
    readonly reason: string;
  };
}

/** What a {@link Saver} needs. */
export interface SaverParts {
  readonly store: RegistryStore;
  readonly clock: Clock;
  readonly log: RegistryLog;
  readonly metrics: Pick<RegistryMetrics, 'saving' | 'saveFailures'>;
  /** The state to save, read while it is written. */
  readonly draft: () => StateDraft;
  /** A state that changed is saved whole no later than this, unless saving itself takes long. */
  readonly delayMs: number;
}

/** After a failed write the next try waits this long. */
const retryMs = 5_000;
/** Saving may take this share of the time: a state that takes 1 s to write is written every 10 s. */
const busyShare = 0.1;

/**
 * Keeps a state: each change at once, all of it now and then.
 *
 * | state | a change | exits |
 * |---|---|---|
 * | keeping | is appended; `settled` waits for it | a write failed → failing |
 * | failing: said in log, metric and status | is taken; `settled` waits for nothing | a whole save worked → keeping |
 *
 * Availability comes first: a registry that cannot write goes on, and acknowledges what it took. While it fails, it tries
 * to save all of it every five seconds; nothing waits in a queue for that.
 */
export class Saver {
  readonly #parts: SaverParts;
  #timer: Timer | undefined;
  /** When the timer fires; `Infinity` without one. */
  #timerAt = Infinity;
  #saving: Promise<void> | undefined;
  /** Somebody waits for what was appended, in the store. */
  #flushing: Promise<void> | undefined;
  /** Of the last flush that somebody waited for: a store has one for many changes. */
  #settling: { readonly flushed: Promise<void>; readonly settled: Promise<void> } | undefined;
  /** Something changed since the last whole save began. */
  #dirty = false;
  #failing: Saving['failing'];
  #notBefore = 0;

  constructor(parts: SaverParts) {
    this.#parts = parts;
    parts.metrics.saving.with({}).set(1);
  }

  get failing(): Saving['failing'] {
    return this.#failing;
  }

  /** The store was loaded: what it holds in many pieces is worth to be saved whole. */
  begin(): void {
    if (!this.#parts.store.crowded) return;
    this.#dirty = true;
    this.#schedule(0);
  }

  changed(change: StoredChange): void {
    const { store } = this.#parts;
    this.#dirty = true;
    store.append(change); // also while it fails: a whole save may be under way that has passed this instance already
    if (this.#failing) this.#schedule(retryMs);
    else {
      this.#flushing ??= this.#flush();
      this.#schedule(store.crowded ? 0 : this.#parts.delayMs);
    }
  }

  /** Resolves when every change so far survives a crash, or cannot be made to. Never rejects. */
  settled(): Promise<void> {
    if (this.#failing || !this.#flushing) return nothing;
    // What is under way may have begun before the last change.
    const flushed = this.#parts.store.flush();
    if (this.#settling?.flushed !== flushed) {
      this.#settling = { flushed, settled: flushed.catch(() => undefined) };
    }
    return this.#settling.settled;
  }

  /** Saves what is not saved whole yet. Never rejects. */
  async finish(): Promise<void> {
    this.#cancelTimer();
    await this.#flushing;
    await this.#saving;
    this.#cancelTimer(); // that save may have planned the next one
    if (this.#dirty) await this.#save();
  }

  /** Hears how the writing of changes goes, for as long as there are any. */
  async #flush(): Promise<void> {
    try {
      await this.#parts.store.flush();
    } catch (cause) {
      this.#failed(cause);
      this.#schedule(retryMs);
    }
    this.#flushing = undefined;
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  #schedule(delayMs: number): void {
    const { clock } = this.#parts;
    const now = clock.now(); // once: time goes on between two looks, and no timer takes less than nothing
    const at = Math.max(now + delayMs, this.#notBefore);
    if (this.#saving || this.#timerAt <= at) return;
    this.#cancelTimer();
    this.#timerAt = at;
    this.#timer = clock.setTimer(at - now, () => this.#fire(), { background: true });
  }

  #fire(): void {
    this.#cancelTimer();
    this.#saving = this.#save().finally(() => {
      this.#saving = undefined;
      if (this.#failing) this.#schedule(retryMs);
      else if (this.#dirty) this.#schedule(this.#parts.store.crowded ? 0 : this.#parts.delayMs);
    });
  }

  async #save(): Promise<void> {
    const { store, clock, draft } = this.#parts;
    const startedAt = clock.now();
    this.#dirty = false;
    try {
      await store.save(draft());
      this.#worked();
    } catch (cause) {
      this.#dirty = true;
      this.#failed(cause);
    }
    this.#notBefore = clock.now() + (clock.now() - startedAt) / busyShare;
  }

  #worked(): void {
    const { log, metrics } = this.#parts;
    if (!this.#failing) return;
    this.#failing = undefined;
    metrics.saving.with({}).set(1);
    log.savesAgain();
    this.#flushing ??= this.#flush();
  }

  #failed(cause: unknown): void {
    const { clock, log, metrics } = this.#parts;
    metrics.saveFailures.add();
    metrics.saving.with({}).set(0);
    const said = cause instanceof Error ? cause.message : String(cause);
    const reason = cause instanceof FlotillaError ? cause.detail : said;
    const first = this.#failing === undefined;
    this.#failing = { since: this.#failing?.since ?? Math.floor(clock.wallNow()), reason };
    if (first) log.saveFailed(cause);
  }
}

const nothing = Promise.resolve();
