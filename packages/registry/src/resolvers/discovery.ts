import type { Clock, Logger, Random, Registrar, Resolver } from '@flotilla/core';

/** A place where instances are found, and registered where it takes registrations. */
export interface SourceDiscovery {
  readonly resolver: Resolver;
  readonly registrar: Registrar;
  /**
   * Ends every watch, stops renewing what was not deregistered (it lapses), and closes the connections. Later calls share
   * the first one's promise.
   */
  close(): Promise<void>;
}

/** What every kind of discovery is made with. */
export interface SourceNeeds {
  /** What `registry` names, all of one kind. */
  readonly urls: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
}

/** Joins the parts of a discovery; closed once. */
export function openDiscovery(
  resolver: Resolver,
  registrar: Registrar,
  release: () => Promise<unknown> | undefined,
): SourceDiscovery {
  let closing: Promise<void> | undefined;
  return {
    resolver,
    registrar,
    close() {
      closing ??= Promise.resolve(release()).then(() => undefined);
      return closing;
    },
  };
}
