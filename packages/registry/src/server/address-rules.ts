import { type IpNetwork, inNetwork, parseAddress, parseNetwork } from '@flotilla/http';

/** Ranges that a registry does not dial on a stranger's word, and what they are. */
const refused: readonly (readonly [IpNetwork, string])[] = (
  [
    ['0.0.0.0/8', 'no address of a host'],
    ['127.0.0.0/8', 'loopback'],
    ['169.254.0.0/16', 'link-local, where clouds keep their metadata'],
    ['100.100.100.200/32', 'the metadata of a cloud'],
    ['192.0.0.192/32', 'the metadata of a cloud'],
    ['224.0.0.0/4', 'multicast'],
    ['240.0.0.0/4', 'reserved or broadcast'],
    ['::/128', 'no address of a host'],
    ['::1/128', 'loopback'],
    ['::/96', 'IPv4 in the clothes of IPv6'],
    ['64:ff9b::/96', 'IPv4 in the clothes of IPv6'],
    ['2002::/16', 'IPv4 in the clothes of IPv6'],
    ['fd00:ec2::254/128', 'the metadata of a cloud'],
    ['fe80::/10', 'link-local'],
    ['ff00::/8', 'multicast'],
  ] as const
).map(([range, words]) => [parseNetwork(range), words]);

const dockerBridge = parseNetwork('172.17.0.0/16');
const loopbacks = [parseNetwork('127.0.0.0/8'), parseNetwork('::1/128')];

/** Judges addresses after names were resolved; IPv4 that is written as IPv6 is IPv4. */
export class AddressRules {
  readonly #allowed: readonly IpNetwork[];

  /**
   * @param allow ranges that may be dialled although they are refused otherwise.
   * @throws FlotillaError CONFIG_INVALID for a range that is none
   */
  constructor(allow: readonly string[] = []) {
    this.#allowed = allow.map(parseNetwork);
  }

  /** Why this address is not dialled; undefined: it is. */
  refuses(address: string): string | undefined {
    const bytes = parseAddress(address);
    if (!bytes) return 'no IP address';
    if (this.#allowed.some((network) => inNetwork(network, bytes))) return undefined;
    return refused.find(([network]) => inNetwork(network, bytes))?.[1];
  }
}

export function isLoopbackAddress(address: string): boolean {
  const bytes = parseAddress(address);
  return bytes !== undefined && loopbacks.some((network) => inNetwork(network, bytes));
}

/** The bridge that Docker makes when it is told nothing: known on its own machine alone. */
export function isDockerBridge(address: string): boolean {
  const bytes = parseAddress(address);
  return bytes !== undefined && inNetwork(dockerBridge, bytes);
}
