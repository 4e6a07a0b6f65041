import type { StoredState } from '../lease/stored-state.ts';

/**
 * Port: where a registry's state outlives its process. Owned by the registry; one registry uses a store at a time.
 * Engines: memory (tests, `flotilla dev`), file.
 */
export interface RegistryStore {
  /**
   * Claims the store and reads it. Called once, before anything else.
   * @returns undefined when nothing was ever saved.
   * @throws FlotillaError STORE_FAILED saying what to do: in use by another process, damaged, or of a newer version.
   */
  load(): Promise<StoredState | undefined>;
  /**
   * Replaces what is stored; when it resolves, the state survives a crash of the machine. Not called concurrently.
   * @throws FlotillaError STORE_FAILED; what was saved before is then still there.
   */
  save(state: StoredState): Promise<void>;
  /** Gives the store up. Never rejects. */
  close(): Promise<void>;
}
