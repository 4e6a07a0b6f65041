import type { Instance } from '@flotilla/core';

/** After an empty list that is not believed yet a source is asked again this soon, in milliseconds. */
export const doubtMs = 1_000;

/** What a source is told whom to follow by: a service as it calls it, or a contract. */
export type Wanted = { readonly service: string } | { readonly contract: string };

/** Whoever is told what a source lists. */
export interface SourceListener {
  /**
   * The whole list, as the source has it now.
   * @param certain the source said that somebody left, so that an empty list is believed at once.
   * @returns `doubted` when an empty list was not believed yet: the source is to be asked again soon.
   */
  list(instances: readonly Instance[], certain?: boolean): 'believed' | 'doubted';
  /** What of the last list could not be used; none: empty. Said again only when it changes. */
  leftOut(entries: readonly string[]): void;
}

/** Following what a source lists. */
export interface Following {
  /** Nothing is told after this, and nothing is left running. */
  close(): void;
}

/**
 * Port: a place that lists instances and is not a registry of ours. It reads, tells whole lists and goes on trying; sharing
 * between watches, the last known list and the rule about empty lists are those of {@link sharedResolver}.
 */
export interface Source {
  /** Returns at once; never throws. While the source cannot be reached the listener is told nothing. */
  follow(wanted: Wanted, listener: SourceListener): Following;
  close(): Promise<void>;
}
