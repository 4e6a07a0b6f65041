import { type Clock, FlotillaError, type Logger, type Random, type Registrar, type Resolver } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';

/** Where instances are registered and found. */
export interface Discovery {
  readonly resolver: Resolver;
  readonly registrar: Registrar;
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
}

/**
 * Picks the registry's client by the scheme of its URLs and loads it only then: a process that uses another registry
 * never loads this one.
 * @param urls of one registry, several for failover; all of one scheme.
 * @throws FlotillaError CONFIG_INVALID for a scheme that nothing here speaks.
 */
export async function connectDiscovery(urls: readonly string[], needs: DiscoveryNeeds): Promise<Discovery> {
  const schemes = new Set(
    urls.map((url) =>
      url
        .slice(0, url.indexOf(':'))
        .toLowerCase()
        .replace(/^https$/, 'http'),
    ),
  );
  const [scheme, other] = schemes;
  if (other !== undefined) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      `registry names URLs of several kinds ("${scheme}", "${other}"); take one kind`,
    );
  }
  if (scheme === 'http') {
    const { registryClient } = await import('@flotilla/registry/client');
    return registryClient({ urls, ...needs });
  }
  throw new FlotillaError('CONFIG_INVALID', `registry "${scheme}:…" is of no known kind; known: "http:", "https:"`);
}
