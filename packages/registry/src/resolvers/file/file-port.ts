/** Port: one file. */
export interface FilePort {
  /**
   * The whole file.
   * @throws FlotillaError STORE_FAILED when it cannot be read or is longer than `maxBytes`
   */
  read(maxBytes: number): Promise<Uint8Array>;
  /** Calls `changed` when the file may have changed, in any way, also by a rename or a swapped link. @returns ends it. */
  watch(changed: () => void): () => void;
}
