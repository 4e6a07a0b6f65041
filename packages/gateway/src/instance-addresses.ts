import type { LiveSetCache } from '@flotilla/balance';
import { type Address, type Instance, isHost, type Resolver } from '@flotilla/core';
import { inNetwork, isLoopback, parseAddress, parseNetwork } from '@flotilla/http';

/** Where a registry may send a gateway. */
export interface InstanceAddressOptions {
  /**
   * Networks (CIDR) that are allowed although they are refused otherwise: link-local, multicast, the addresses of metadata
   * services. Default: none.
   */
  readonly allowInstanceNetworks?: readonly string[] | undefined;
  /** Instances on this machine's own loopback. Default true; false for a registry that stands on another machine. */
  readonly allowLoopbackInstances?: boolean | undefined;
  /** Ports of this process that no instance may have on the loopback: its management port. Default: none. */
  readonly ownPorts?: readonly number[] | undefined;
}

/** Says why an address is not dialled; undefined: it may be. */
export type RefuseAddress = (address: Pick<Address, 'host' | 'port'>) => string | undefined;

/**
 * Never the place of a service, and often the place of something that trusts whoever can reach it: "this host", link-local
 * with the metadata services of clouds, multicast, reserved. RFC 6890; the last two are metadata services elsewhere.
 */
const refused: readonly string[] = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  '100.100.100.200',
  'fd00:ec2::254',
];

/** IPv4 in IPv6, by which a router or a host may reach the IPv4 address behind it: NAT64, IPv4-compatible, 6to4. */
const wrappings = [
  { network: parseNetwork('64:ff9b::/96'), at: 12 },
  { network: parseNetwork('::/96'), at: 12 },
  { network: parseNetwork('2002::/16'), at: 2 },
] as const;

/**
 * What holds for instances that a registry names. Addresses that an operator wrote into a route are not asked about.
 * @throws FlotillaError CONFIG_INVALID for a network that is none
 */
export function addressRules(options: InstanceAddressOptions): RefuseAddress {
  const { allowLoopbackInstances = true, ownPorts = [] } = options;
  const allowed = (options.allowInstanceNetworks ?? []).map(parseNetwork);
  const networks = refused.map((text) => ({ text, network: parseNetwork(text) }));
  return ({ host, port }) => {
    if (!isHost(host)) return 'its host is no host';
    if (!(port >= 1 && port <= 65_535)) return `it has no port: ${port}`;
    const bytes = parseAddress(host);
    if (!bytes) {
      // 2852039166, 0xa9fea9fe and 169.254.43518 are 169.254.169.254 to a system's resolver.
      if (/(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$/i.test(host)) return 'its host is a number that is no plain address';
      return isLoopback(host) ? loopback(port) : undefined;
    }
    const inner = unwrapped(bytes);
    if (allowed.some((network) => inNetwork(network, inner))) return undefined;
    const bad = networks.find(({ network }) => inNetwork(network, inner) || inNetwork(network, bytes));
    if (bad) return `it is in ${bad.text}; see allowInstanceNetworks`;
    return isLoopbackBytes(inner) ? loopback(port) : undefined;
  };

  function loopback(port: number): string | undefined {
    if (ownPorts.includes(port)) return `port ${port} is the gateway's own, for management`;
    return allowLoopbackInstances ? undefined : "it is this machine's loopback; see allowLoopbackInstances";
  }
}

/** Hears of an address that is not dialled. */
export type RefusedInstance = (instance: Instance, address: Address, why: string) => void;

/** The same resolver without the addresses that are refused, and without instances that have no other. */
export function guardResolver(resolver: Resolver, refuse: RefuseAddress, refused: RefusedInstance): Resolver {
  return {
    watch: (target, update) =>
      resolver.watch(target, (set) => update({ ...set, instances: accepted(set.instances, refuse, refused) })),
  };
}

/** The same cache: what was kept before may name what is refused now. */
export function guardCache(cache: LiveSetCache, refuse: RefuseAddress, refused: RefusedInstance): LiveSetCache {
  return {
    save: (target, set) => cache.save(target, set),
    async load(target) {
      const set = await cache.load(target);
      return set && { ...set, instances: accepted(set.instances, refuse, refused) };
    },
  };
}

/** Tells of each address once, and forgets in bulk: a registry can name very many. */
export function refusedOnce(tell: RefusedInstance): RefusedInstance {
  const told = new Set<string>();
  return (instance, address, why) => {
    const key = JSON.stringify([instance.id, address.host, address.port]);
    if (told.has(key)) return;
    if (told.size >= maxRemembered) told.clear();
    told.add(key);
    tell(instance, address, why);
  };
}

const maxRemembered = 1_000;

function accepted(
  instances: readonly Instance[],
  refuse: RefuseAddress,
  refused: RefusedInstance,
): readonly Instance[] {
  return instances.flatMap((instance) => {
    const addresses = instance.addresses.filter((address) => {
      const why = refuse(address);
      if (why !== undefined) refused(instance, address, why);
      return why === undefined;
    });
    if (addresses.length === instance.addresses.length) return instance;
    return addresses.length === 0 ? [] : { ...instance, addresses };
  });
}

function unwrapped(bytes: Uint8Array): Uint8Array {
  const wrapping =
    bytes.length === 16 && !isLoopbackBytes(bytes)
      ? wrappings.find(({ network }) => inNetwork(network, bytes))
      : undefined;
  return wrapping ? bytes.slice(wrapping.at, wrapping.at + 4) : bytes;
}

function isLoopbackBytes(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));
}
