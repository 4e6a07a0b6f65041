import type { Policies } from '@flotilla/resilience';
import type { ServiceConfig } from '../platform-settings.ts';

/** The configuration of a service that is placed here. Its own part of the file is followed as a process follows its own. */
export interface PlacedConfig {
  readonly now: ServiceConfig<unknown>;
  /**
   * Hears of each change from now on, and of one that came before.
   * @param policies of the service: a change that does not fit together with what its code says changes nothing
   */
  follow(policies: Policies, listener: (now: ServiceConfig<unknown>) => void): void;
  /** Nothing is read any more. */
  close(): Promise<void>;
}
