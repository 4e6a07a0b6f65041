import { FlotillaError } from '@flotilla/core';
import type { Discovery, DiscoveryNeeds } from './discovery.ts';

/** Makes the client of one registry from its addresses, several for failover: as they are configured, without `#name`. */
export type ConnectRegistry = (urls: readonly string[], needs: DiscoveryNeeds) => Discovery;

/** One kind of registry: what its URLs look like, and where its client is. */
export interface RegistryKind {
  readonly name: string;
  /** Of its URLs, in lower case; with a colon where no server is named, so that no `//` need follow. */
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
    name: 'consul',
    schemes: ['consul+http', 'consul+https'],
    package: '@flotilla/registry',
    async load() {
      const { consulDiscovery } = await import('@flotilla/registry/resolvers/consul');
      return (urls, needs) => consulDiscovery({ urls, ...needs });
    },
  },
  {
    name: 'dns',
    schemes: ['dns:'],
    package: '@flotilla/registry',
    async load() {
      const { dnsDiscovery } = await import('@flotilla/registry/resolvers/dns');
      return (urls, needs) => dnsDiscovery({ urls, ...needs });
    },
  },
  {
    name: 'etcd',
    schemes: ['etcd+http', 'etcd+https'],
    package: '@flotilla/registry',
    async load() {
      const { etcdDiscovery } = await import('@flotilla/registry/resolvers/etcd');
      return (urls, needs) => etcdDiscovery({ urls, ...needs });
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
  {
    name: 'file',
    schemes: ['file:'],
    package: '@flotilla/registry',
    async load() {
      const [{ fileDiscovery }, { parseYaml }] = await Promise.all([
        import('@flotilla/registry/resolvers/file'),
        import('@flotilla/config'),
      ]);
      const parse = (text: string, name: string): unknown => parseYaml(text, name).value;
      return (urls, needs) => fileDiscovery({ urls, parse, ...needs });
    },
  },
  {
    name: 'kubernetes',
    schemes: ['kubernetes:', 'kubernetes+http', 'kubernetes+https'],
    package: '@flotilla/registry',
    async load() {
      const { kubernetesDiscovery } = await import('@flotilla/registry/resolvers/kubernetes');
      return (urls, needs) => kubernetesDiscovery({ urls, ...needs });
    },
  },
  {
    name: 'zookeeper',
    schemes: ['zookeeper'],
    package: '@flotilla/registry',
    async load() {
      const { zookeeperDiscovery } = await import('@flotilla/registry/resolvers/zookeeper');
      return (urls, needs) => zookeeperDiscovery({ urls, ...needs });
    },
  },
]);

/** The schemes that `registry` takes. */
export const registrySchemes: readonly string[] = Object.freeze(registryKinds.flatMap(({ schemes }) => schemes));

/** The kind of a registry's URL. @throws FlotillaError CONFIG_INVALID for a scheme that nothing here speaks. */
export function kindOf(url: string): RegistryKind {
  const scheme = url.slice(0, Math.max(0, url.indexOf(':'))).toLowerCase();
  const kind = registryKinds.find(({ schemes }) => schemes.includes(scheme) || schemes.includes(`${scheme}:`));
  if (kind) return kind;
  const known = registrySchemes.map((name) => `"${name.replace(':', '')}:"`).join(', ');
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
