import type { Call, Clock, ContractRef, Logger, Random, Registrar, Resolver } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';

/** Where instances are registered and found. */
export interface Discovery {
  readonly resolver: Resolver;
  readonly registrar: Registrar;
  /** The text of a contract that an instance serves; undefined: it is not known here. Absent: such registries keep none. */
  contractText?(contract: ContractRef, call?: Call): Promise<string | undefined>;
  close(): Promise<void>;
}

/** What a discovery is made with. */
export interface DiscoveryNeeds {
  readonly network: HttpNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The host that this process binds to; behind a wildcard the registry's view of our address is compared with it. */
  readonly bindHost?: string;
  /** Where this process runs: of several addresses of one registry, those of its own zone come first. */
  readonly zone?: string | undefined;
}
