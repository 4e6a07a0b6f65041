import { type Clock, FlotillaError, type Timer } from '@flotilla/core';
import type { StoredState } from '../lease/stored-state.ts';
import type { RegistryLog } from './log.ts';
import type { RegistryMetrics } from './metrics.ts';
import type { RegistryStore } from './store.ts';

/** How it stands with what outlives the process. */
export interface Saving {
  /** False: there is no store, each start is an empty one. */
  readonly kept: boolean;
  /** Absent: the last save worked. */
  readonly failing?: {
    /** Wall time of the first save that failed. */
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
  /** The state to save, as it is at that moment. */
  readonly state: () => StoredState;
  /** A change is saved no later than this, unless saving itself takes long. */
  readonly delayMs: number;
}

/** After a failed save the next try waits this long. */
const retryMs = 5_000;
/** Saving may take this share of the time: a state that takes 1 s to write is written every 10 s. */
const busyShare = 0.1;

/**
 * Saves a state some time after it changed: many changes in a row are one save.
 *
 * | state | exits |
 * |---|---|
 * | clean | a change → waiting |
 * | waiting: a timer runs | the timer → saving |
 * | saving | done → clean, or waiting when it changed meanwhile; failed → waiting |
 */
export class Saver {
  readonly #parts: SaverParts;
  #timer: Timer | undefined;
  #saving: Promise<void> | undefined;
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

  /** The state changed. */
  changed(): void {
    this.#dirty = true;
    if (!this.#timer && !this.#saving) this.#schedule(this.#parts.delayMs);
  }

  /** Saves what is not saved yet. Never rejects. */
  async finish(): Promise<void> {
    this.#cancelTimer();
    await this.#saving;
    this.#cancelTimer(); // that save may have planned the next one
    if (this.#dirty) await this.#save();
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(delayMs: number): void {
    const { clock } = this.#parts;
    const waitMs = Math.max(delayMs, this.#notBefore - clock.now());
    const fire = (): void => {
      this.#timer = undefined;
      this.#saving = this.#save().finally(() => {
        this.#saving = undefined;
        if (this.#dirty && !this.#timer) this.#schedule(this.#failing ? retryMs : this.#parts.delayMs);
      });
    };
    this.#timer = clock.setTimer(waitMs, fire, { background: true });
  }

  async #save(): Promise<void> {
    const { store, clock, state } = this.#parts;
    const startedAt = clock.now();
    this.#dirty = false;
    try {
      await store.save(state());
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
