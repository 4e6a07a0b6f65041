import { type Clock, FlotillaError, type Logger, nullLogger, type Random, resolveDurations } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';

/** What {@link registryClient} is told. */
export interface RegistryClientOptions {
  /** Registries, the preferred one first: `http://user:password@host:8761`, each with credentials of its own. */
  readonly urls: readonly string[];
  readonly network: HttpNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /**
   * The host that this process binds to. When it is a wildcard, the address that the registry sees is compared with the
   * advertised ones, and a difference is logged. Default: nothing is compared.
   */
  readonly bindHost?: string;
  /** One request to one registry takes no longer. Default 2,000. */
  readonly requestTimeoutMs?: number;
  /** Leaving takes no longer, whether the registry heard of it or not. Default 2,000. */
  readonly deregisterTimeoutMs?: number;
  /**
   * How often lists are fetched while neither push nor long polls come through, ± 20 %; also after how long push is first tried
   * again while long polls do. Default 30,000.
   */
  readonly pollEveryMs?: number;
  /** How often a preferred registry that did not answer is tried again while another one is used, ± 20 %. Default 30,000. */
  readonly returnEveryMs?: number;
  /** A push connection without a byte for this long is given up; the registry sends one every 15 s. Default 45,000. */
  readonly silenceMs?: number;
}

export const registryClientDefaults: Readonly<
  Required<
    Pick<
      RegistryClientOptions,
      'requestTimeoutMs' | 'deregisterTimeoutMs' | 'pollEveryMs' | 'silenceMs' | 'returnEveryMs'
    >
  >
> = Object.freeze({
  requestTimeoutMs: 2_000,
  deregisterTimeoutMs: 2_000,
  pollEveryMs: 30_000, // what Eureka's clients do
  returnEveryMs: 30_000, // sooner than a lease lapses at the registry that it left
  silenceMs: 45_000, // three missed signs of life
});

/** Options with every default filled in. */
export type ResolvedClientOptions = Required<Omit<RegistryClientOptions, 'bindHost'>> & {
  readonly bindHost: string | undefined;
};

/** @throws FlotillaError CONFIG_INVALID without urls; RangeError for a duration that is none */
export function resolveClientOptions(options: RegistryClientOptions): ResolvedClientOptions {
  if (options.urls.length === 0) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      'a registry client needs at least one url, such as http://127.0.0.1:8761',
    );
  }
  return {
    ...options,
    ...resolveDurations(options, registryClientDefaults),
    logger: options.logger ?? nullLogger,
    bindHost: options.bindHost,
  };
}
