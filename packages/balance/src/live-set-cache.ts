import type { Instance, Target } from '@flotilla/core';

/** A set of instances that was true once. */
export interface CachedSet {
  readonly instances: readonly Instance[];
  /** When it was saved, in epoch milliseconds. */
  readonly savedAt: number;
}

/**
 * Port: the last known good set, kept where a restart finds it. Owned by the cluster, which saves after each change and
 * loads once, for as long as no resolver has answered.
 */
export interface LiveSetCache {
  /**
   * @returns undefined when nothing usable is kept. Never rejects for bad content; says so in its log.
   */
  load(target: Target): Promise<CachedSet | undefined>;
  /** Replaces what is kept. @throws FlotillaError STORE_FAILED; what was kept before is then still there. */
  save(target: Target, set: CachedSet): Promise<void>;
}
