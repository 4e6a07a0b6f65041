import type { Clock, Instance, Target } from '@flotilla/core';
import type { CachedSet, LiveSetCache } from './live-set-cache.ts';
import type { BalanceLog } from './log.ts';

/** Keeps the last known good set on disk. Failing to is logged and changes nothing else. */
export class LastKnown {
  readonly #cache: LiveSetCache | undefined;
  readonly #target: Target;
  readonly #clock: Clock;
  readonly #log: BalanceLog;
  #unsaved: readonly Instance[] | undefined;
  #work: Promise<void> = Promise.resolve();
  #saving = false;

  constructor(cache: LiveSetCache | undefined, target: Target, clock: Clock, log: BalanceLog) {
    this.#cache = cache;
    this.#target = target;
    this.#clock = clock;
    this.#log = log;
  }

  /** Calls `use` if anything is kept. An empty set is nothing: it would only forbid waiting for the registry. */
  load(use: (set: CachedSet) => void): void {
    const cache = this.#cache;
    if (!cache) return;
    this.#work = cache.load(this.#target).then(
      (set) => {
        if (set && set.instances.length > 0) use(set);
      },
      (cause: unknown) => this.#log.cacheNotLoaded(cause),
    );
  }

  /** Saves now, or when the save in hand has ended: of several changes meanwhile only the last one. */
  save(instances: readonly Instance[]): void {
    if (!this.#cache) return;
    this.#unsaved = instances;
    if (this.#saving) return;
    this.#saving = true;
    const before = this.#work;
    this.#work = this.#saveAll(this.#cache, before).finally(() => {
      this.#saving = false;
    });
  }

  /** Resolves when nothing is in hand any more. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async #saveAll(cache: LiveSetCache, before: Promise<void>): Promise<void> {
    await before;
    while (this.#unsaved) {
      const instances = this.#unsaved;
      this.#unsaved = undefined;
      await cache
        .save(this.#target, { instances, savedAt: this.#clock.wallNow() })
        .catch((cause: unknown) => this.#log.cacheNotSaved(cause));
    }
  }
}
