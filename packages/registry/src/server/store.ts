import type { StateDraft, StoredChange, StoredState } from '../lease/stored-state.ts';

/**
 * Port: where a registry's state outlives its process. Owned by the registry; one registry uses a store at a time.
 * Engines: memory (tests, `flotilla dev`), file.
 *
 * A store keeps a whole state and the changes since. `load` first; then changes are appended as they happen, and the
 * state is saved whole when it is worth it.
 */
export interface RegistryStore {
  /**
   * Claims the store and reads it. Called once, before anything else.
   * @returns undefined when nothing was ever saved.
   * @throws FlotillaError STORE_FAILED saying what to do: in use by another process, damaged, or of a newer version.
   */
  load(): Promise<StoredState | undefined>;
  /** Adds a change. It does not wait: {@link flush} does. Changes of one turn of the event loop may share a write. */
  append(change: StoredChange): void;
  /**
   * Resolves when everything that was appended so far survives a crash of the machine.
   * @throws FlotillaError STORE_FAILED; from then on a change may be missing, and only a {@link save} makes it whole.
   */
  flush(): Promise<void>;
  /** True: so many changes are kept that a {@link save} is worth it. */
  readonly crowded: boolean;
  /**
   * Replaces what is stored; when it resolves, the state survives a crash of the machine. Not called concurrently with
   * itself; changes are appended meanwhile.
   * @param draft read in slices, while the registry goes on.
   * @throws FlotillaError STORE_FAILED; what was saved before is then still there.
   */
  save(draft: StateDraft): Promise<void>;
  /** Gives the store up. Never rejects. */
  close(): Promise<void>;
}
