import { FlotillaError } from '@flotilla/core';
import { parseAddress } from './ip-address.ts';

/** A range of addresses: CIDR notation (RFC 4632 §3.1), read once. */
export interface IpNetwork {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

/** Addresses that are believed when they say on whose behalf they ask. */
export interface TrustedProxies {
  /** @param address as a socket shows it; what is no address is not trusted. */
  has(address: string): boolean;
}

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, or a single address. A range of IPv6 holds no IPv4 address: name both.
 * @throws FlotillaError CONFIG_INVALID naming what is wrong
 */
export function parseNetwork(text: string): IpNetwork {
  const [address = '', prefix, more] = text.split('/');
  const bytes = parseAddress(address);
  if (!bytes || more !== undefined || /[%[\]]/.test(address))
    throw invalid(text, 'write an address such as "10.0.0.0/8"');
  const mapped = bytes.length === 4 && address.includes(':') ? 96 : 0;
  const prefixBits = prefix === undefined ? bytes.length * 8 : Number(prefix) - mapped;
  if (prefix !== undefined && !(/^[0-9]{1,3}$/.test(prefix) && prefixBits >= 0 && prefixBits <= bytes.length * 8)) {
    throw invalid(text, `its prefix is a number from ${mapped} to ${mapped + bytes.length * 8}`);
  }
  if (hasBitsBeyond(bytes, prefixBits)) {
    throw invalid(text, `it has bits set beyond its prefix of ${prefix}: write the first address of the range`);
  }
  return { bytes, prefixBits };
}

/** True when the address, as `parseAddress` gives it, is in the range. */
export function inNetwork(network: IpNetwork, address: Uint8Array): boolean {
  if (address.length !== network.bytes.length) return false;
  for (let bit = 0; bit < network.prefixBits; bit += 8) {
    const mask = maskAt(network.prefixBits, bit);
    if (((network.bytes[bit / 8] ?? 0) & mask) !== ((address[bit / 8] ?? 0) & mask)) return false;
  }
  return true;
}

/**
 * Reads a list of proxies that are trusted.
 * @throws FlotillaError CONFIG_INVALID as {@link parseNetwork}
 */
export function parseTrustedProxies(list: readonly string[]): TrustedProxies {
  const networks = list.map(parseNetwork);
  return {
    has(address) {
      if (networks.length === 0) return false;
      const bytes = parseAddress(address);
      return bytes !== undefined && networks.some((network) => inNetwork(network, bytes));
    },
  };
}

/** The part of the byte that begins at `bit` which belongs to the prefix. */
function maskAt(prefixBits: number, bit: number): number {
  const bits = Math.min(8, Math.max(0, prefixBits - bit));
  return (0xff << (8 - bits)) & 0xff;
}

function hasBitsBeyond(bytes: Uint8Array, prefixBits: number): boolean {
  return bytes.some((byte, index) => (byte & ~maskAt(prefixBits, index * 8) & 0xff) !== 0);
}

function invalid(text: string, what: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `"${text.slice(0, 100)}" is not a range of addresses: ${what}`);
}
