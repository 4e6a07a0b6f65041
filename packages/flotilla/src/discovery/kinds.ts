import { FlotillaError } from '@flotilla/core';
import type { Discovery, DiscoveryNeeds } from './discovery.ts';

/** Makes the client of one registry from its addresses, several for failover: as they are configured, without `#name`. */
export type ConnectRegistry = (urls: readonly string[], needs: DiscoveryNeeds) => Discovery;

/** One kind of registry: what its URLs look like, and where its client is. */
export interface RegistryKind {
  readonly name: string;
  /** Of its URLs, in lower case and without the colon. */
  readonly schemes: readonly string[];
  /** Holds the client; loaded when a URL of this kind is named, and not before. */
  readonly package: string;
  readonly load: () => Promise<ConnectRegistry>;
}

/**
 * Every kind that is known. A client that lies in a package of its own is an optional peer: a process that does not name
 * its kind need not have it.
 */
export const registryKinds: readonly RegistryKind[] = Object.freeze([
  {
    name: 'flotilla',
    schemes: ['http', 'https'],
    package: '@flotilla/registry',
    async load() {
      const { registryClient } = await import('@flotilla/registry/client');
      return (urls, needs) => registryClient({ urls, ...needs });
    },
  },
  {
    name: 'eureka',
    schemes: ['eureka+http', 'eureka+https'],
    package: '@flotilla/eureka',
    async load() {
      const { eurekaClient } = await import('@flotilla/eureka/client');
      return (urls, needs) => eurekaClient({ urls: urls.map(withoutKind), ...needs });
    },
  },
]);

/** The schemes that `registry` takes. */
export const registrySchemes: readonly string[] = Object.freeze(registryKinds.flatMap(({ schemes }) => schemes));

/** The kind of a registry's URL. @throws FlotillaError CONFIG_INVALID for a scheme that nothing here speaks. */
export function kindOf(url: string): RegistryKind {
  const scheme = url.slice(0, Math.max(0, url.indexOf(':'))).toLowerCase();
  const kind = registryKinds.find(({ schemes }) => schemes.includes(scheme));
  if (kind) return kind;
  const known = registrySchemes.map((name) => `"${name}:"`).join(', ');
  throw new FlotillaError('CONFIG_INVALID', `registry "${scheme.slice(0, 40)}:…" is of no known kind; known: ${known}`);
}

/** The client of a kind. @throws FlotillaError CONFIG_INVALID naming the package to install, where it is not there. */
export async function loadKind(kind: RegistryKind): Promise<ConnectRegistry> {
  try {
    return await kind.load();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new FlotillaError(
      'CONFIG_INVALID',
      `registry "${kind.schemes[0]}:…" needs the package ${kind.package}: npm install ${kind.package}`,
      { cause },
    );
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
}

/** `eureka+http://a` → `http://a`. */
function withoutKind(url: string): string {
  return url.slice(url.indexOf('+') + 1);
}
