import { assertDuration, type Clock, FlotillaError, type Logger, nullLogger, type Random } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';
import { settingsIn } from './server-url.ts';

/** What {@link eurekaClient} is told. */
export interface EurekaClientOptions {
  /**
   * Servers that replicate to each other: `http://user:password@host:8761/eureka?zone=a`, each with credentials of its own.
   * Behind the question mark may also stand `pollEveryMs` and `compact`, which go before the options of that name.
   */
  readonly urls: readonly string[];
  readonly network: HttpNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /** Where this process runs: servers of that zone are asked first. Default: none, all are alike. */
  readonly zone?: string | undefined;
  /** One request to one server takes no longer. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** Leaving takes no longer, whether a server heard of it or not. Default 2,000. */
  readonly deregisterTimeoutMs?: number;
  /** How often the list is fetched, ± 20 %. Default 30,000. */
  readonly pollEveryMs?: number;
  /** Fetches what changed instead of everything, where the server has it. Default true. */
  readonly delta?: boolean;
  /**
   * Asks for the short form of the list, which has no metadata: no zones, weights and contracts of the instances. Default
   * false.
   */
  readonly compact?: boolean;
  /** A server is kept for this long, ± 50 %; then one is chosen anew, so that load finds its way to a new one. Default 1,200,000. */
  readonly sessionMs?: number;
}

export const eurekaClientDefaults: Readonly<
  Required<
    Pick<
      EurekaClientOptions,
      'requestTimeoutMs' | 'deregisterTimeoutMs' | 'pollEveryMs' | 'delta' | 'compact' | 'sessionMs'
    >
  >
> = Object.freeze({
  requestTimeoutMs: 5_000, // a list of a large registry takes a Java server seconds; theirs is 8 s
  deregisterTimeoutMs: 2_000,
  pollEveryMs: 30_000, // registryFetchIntervalSeconds
  delta: true,
  compact: false,
  sessionMs: 1_200_000, // sessionedClientReconnectIntervalSeconds
});

/** Options with every default filled in. */
export type ResolvedEurekaOptions = Required<Omit<EurekaClientOptions, 'zone'>> & { readonly zone: string | undefined };

/** @throws FlotillaError CONFIG_INVALID without urls, or for urls that are none; RangeError for a duration that is none */
export function resolveEurekaOptions(options: EurekaClientOptions): ResolvedEurekaOptions {
  if (options.urls.length === 0) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      'a Eureka client needs at least one url, such as http://127.0.0.1:8761/eureka',
    );
  }
  const resolved = {
    ...eurekaClientDefaults,
    logger: nullLogger,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    ...settingsIn(options.urls),
    zone: options.zone,
  } as ResolvedEurekaOptions;
  for (const name of ['requestTimeoutMs', 'deregisterTimeoutMs', 'pollEveryMs', 'sessionMs'] as const) {
    assertDuration(resolved[name], name);
  }
  return resolved;
}
