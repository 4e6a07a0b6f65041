import { FlotillaError, identity } from '@flotilla/core';
import { record, wrong } from '../../field-checks.ts';
import { type Readable, readEntries } from '../readable.ts';

/** Protocols for which an address says nothing but its host and port. */
const defaultPorts: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
]);

/**
 * What a file of services says.
 *
 * ```yaml
 * services:
 *   orders:
 *     - http://10.0.0.1:8080
 *     - { id: second, address: https://10.0.0.2:8443, zone: eu-1, weight: 2, metadata: { rack: a7 } }
 * ```
 *
 * An entry is an address, or an object with `address` or `addresses` (texts or objects of protocol, host and port) and any
 * other field of an instance's JSON form. Without `id` it is called by its first address.
 * @throws FlotillaError INVALID_INPUT when it is no such document at all; single entries are left out instead.
 */
export function readServices(document: unknown): Readable {
  const services = record(record(document, 'the file')['services'], 'services');
  const entries = Object.entries(services).flatMap(([service, list]) => entriesOf(service, list));
  return readEntries(
    entries,
    ({ service, entry }) => [instanceOf(service, entry)],
    ({ service, place }) => `${JSON.stringify(service.slice(0, 80))} entry ${place}`,
  );
}

interface FileEntry {
  readonly service: string;
  readonly place: number;
  readonly entry: unknown;
}

function entriesOf(service: string, list: unknown): FileEntry[] {
  if (list === null) return [];
  if (!Array.isArray(list)) throw wrong(`services["${service.slice(0, 80)}"]`, 'a list', list);
  return list.map((entry: unknown, index) => ({ service, place: index + 1, entry }));
}

function instanceOf(service: string, entry: unknown): Readonly<Record<string, unknown>> {
  const { address, addresses, ...fields } = typeof entry === 'string' ? { address: entry } : record(entry, 'an entry');
  if (address !== undefined && addresses !== undefined) {
    throw new FlotillaError('INVALID_INPUT', 'an entry has "address" or "addresses", not both');
  }
  const given = address === undefined ? addresses : [address];
  if (!Array.isArray(given) || given.length === 0)
    throw wrong('address', 'an address such as http://10.0.0.1:8080', address);
  const read = given.map(addressOf);
  const [first] = read as { protocol?: unknown; host?: unknown; port?: unknown }[];
  return {
    id: `${first?.host}:${first?.port}`,
    identity: identity(service),
    ...fields,
    addresses: read,
  };
}

function addressOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const [, protocol = '', rest = ''] =
    /^([A-Za-z][A-Za-z0-9+.-]{0,63}):\/\/([^/?#@]+)\/?$/.exec(value.slice(0, 400)) ?? [];
  const [, v6, name = '', port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(rest) ?? [];
  const host = v6 ?? name;
  const number = port === undefined ? defaultPorts.get(protocol) : Number(port);
  if (host === '' || number === undefined) throw wrong('address', 'PROTOCOL://HOST:PORT', value);
  return { protocol, host, port: number };
}
