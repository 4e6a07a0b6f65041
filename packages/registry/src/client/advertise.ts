/** What of an interface's address the choice needs; the shape of `os.networkInterfaces()`. */
export interface InterfaceAddress {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  /** True for loopback. */
  readonly internal: boolean;
}

/** Interfaces by name, as `os.networkInterfaces()` gives them. */
export type Interfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;

/** What is known when an instance decides under which host others find it. */
export interface AdvertiseInput {
  /** What the configuration says, if it does. */
  readonly advertise?: string | undefined;
  /** The host that the listener binds to: an address, a name, or a wildcard (`0.0.0.0`, `::`). */
  readonly bindHost: string;
  readonly interfaces: Interfaces;
  /** Our own address on a connection to the registry, if there was one. */
  readonly towardsRegistry?: string | undefined;
}

/** The host to advertise, and a sentence for the start-up line that says why. */
export interface AdvertiseChoice {
  readonly host: string;
  readonly reason: string;
}

/** Bridges and taps of containers and virtual machines: addresses that only this machine can reach. */
const virtualNames =
  /^(?:lo|docker|br-|veth|virbr|vmnet|vboxnet|cni|flannel|cali|tunl|podman|lxc|lxd|kube|dummy|utun|awdl|llw|bridge)/;

/**
 * Chooses the host that an instance advertises. To bind and to be found are two things: a wildcard is no address that
 * others could call, and the first interface of a machine with containers is often a bridge that leads nowhere.
 *
 * 1. What the configuration says.
 * 2. The host that the listener binds to, when it is one: loopback, an address, a name.
 * 3. Behind a wildcard, our address on the way to the registry: whoever reaches that can likely reach us.
 * 4. Else the first address that is routable, of an interface that is not virtual, IPv4 before IPv6. Docker's own bridge
 *    (172.17.0.0/16) comes after every other one, whatever its interface is called.
 * 5. Else loopback: a machine without a network.
 *
 * The reason names the addresses that were passed over, so that who finds the choice wrong sees what to set.
 */
export function chooseAdvertisedHost(input: AdvertiseInput): AdvertiseChoice {
  const { advertise, bindHost, towardsRegistry, interfaces } = input;
  if (advertise !== undefined && advertise !== '')
    return { host: bare(advertise), reason: 'the configuration says so' };
  if (!isWildcard(bindHost)) return { host: bare(bindHost), reason: `the listener binds to ${bindHost}` };
  const every = `the listener binds to every interface (${bindHost})`;
  if (towardsRegistry !== undefined && isRoutable(unmapped(towardsRegistry))) {
    return {
      host: unmapped(towardsRegistry),
      reason: `${every}; this is the address from which the registry is reached`,
    };
  }
  const found = firstRoutable(interfaces, bindHost);
  const others = passedOver(interfaces, found?.address);
  if (!found) {
    const reason = `${every}, and none has a routable address: only this machine will find it${others}`;
    return { host: '127.0.0.1', reason };
  }
  return { host: found.address, reason: `${every}; this is the first routable address, of ${found.name}${others}` };
}

/** `0.0.0.0`, `::`, or nothing: every interface. */
export function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || bare(host) === '::';
}

function firstRoutable(interfaces: Interfaces, bindHost: string): { name: string; address: string } | undefined {
  const candidates = Object.entries(interfaces)
    .filter(([name]) => !virtualNames.test(name))
    .flatMap(([name, addresses = []]) => addresses.map((entry) => ({ name, ...entry })))
    .filter(({ address, internal }) => !internal && isRoutable(address));
  // Bound to 0.0.0.0 only IPv4 is served; `::` serves both.
  const usable = bindHost === '0.0.0.0' ? candidates.filter(({ family }) => family === 'IPv4') : candidates;
  const ranked = usable.toSorted((a, b) => rankOf(a) - rankOf(b)); // stable: else in the order of the system
  return ranked[0];
}

/** What is tried later. */
function rankOf({ address, family }: InterfaceAddress): number {
  return (family === 'IPv4' ? 0 : 1) + (/^172\.17\./.test(address) ? 2 : 0);
}

const mostNamed = 6;

/** Addresses that it could have been, for whoever wonders; `FLOTILLA_ADVERTISE` takes any of them. */
function passedOver(interfaces: Interfaces, chosen: string | undefined): string {
  const others = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ address, internal }) => !internal && address !== chosen && isRoutable(address))
      .map(({ address }) => `${address} of ${name}${virtualNames.test(name) ? ' (virtual)' : ''}`),
  );
  if (others.length === 0) return '';
  const more = others.length > mostNamed ? `, and ${others.length - mostNamed} more` : '';
  return `; passed over: ${others.slice(0, mostNamed).join(', ')}${more}. FLOTILLA_ADVERTISE or "advertise" sets another one`;
}

/** Neither loopback nor link-local (RFC 3927, RFC 4291 §2.5.6) nor the wildcard. */
function isRoutable(address: string): boolean {
  return !/^(?:127\.|169\.254\.|0\.0\.0\.0$|::1?$|fe[89ab][0-9a-f]:)/i.test(address);
}

/** An IPv4 address that a socket of both families shows as `::ffff:10.0.0.1`. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=[0-9]+\.)/i, '');
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
