import {
  type Address,
  type ContractRef,
  FlotillaError,
  type Identity,
  type Instance,
  type InstanceStatus,
  identity,
  instanceStatuses,
  isHost,
  type Json,
  type LeaseTerms,
} from '@flotilla/core';
import {
  checkKey,
  list,
  oneText,
  optional,
  positive,
  record,
  shorten,
  text,
  wholeNumber,
  wrong,
} from './field-checks.ts';

/** What one registration may hold. Every reader of the registry gets what it lists, so all of it is bounded. */
export const instanceBounds: Readonly<
  Record<
    | 'maxTextCharacters'
    | 'maxMetadataKeys'
    | 'maxMetadataEntryBytes'
    | 'maxAddresses'
    | 'maxContracts'
    | 'maxWeight'
    | 'maxBags'
    | 'maxBagBytes'
    | 'maxBagDepth',
    number
  >
> = Object.freeze({
  maxTextCharacters: 255,
  maxMetadataKeys: 64,
  /** UTF-8 bytes of a key and its value together. */
  maxMetadataEntryBytes: 1_024,
  maxAddresses: 16,
  maxContracts: 256,
  maxWeight: 1_000_000,
  maxBags: 8,
  /** UTF-8 bytes of one bag as JSON. */
  maxBagBytes: 16_384,
  maxBagDepth: 16,
});

const protocolName = /^[A-Za-z][A-Za-z0-9+.-]{0,63}$/;

/**
 * Reads the JSON form of an instance (the shape of `Instance`, absent members left out), field by field, into a new
 * object. Members that it does not know are left out: a newer instance may say more. Absent `incarnation` and
 * `revision` are 0, `weight` 1, `status` `up`, lists empty.
 * @throws FlotillaError INVALID_INPUT naming the field, what it holds, and the limit.
 */
export function checkInstance(json: unknown): Instance {
  const fields = record(json, 'instance');
  const calls = optional(fields['calls'], 'instance.calls', (value, field) =>
    list(value, field, instanceBounds.maxContracts, contract),
  );
  const override = optional(fields['override'], 'instance.override', status);
  const zone = optional(fields['zone'], 'instance.zone', text);
  const cluster = optional(fields['cluster'], 'instance.cluster', text);
  const lease = optional(fields['lease'], 'instance.lease', leaseTerms);
  const startedAt = optional(fields['startedAt'], 'instance.startedAt', wholeNumber);
  return {
    id: text(fields['id'], 'instance.id'),
    identity: identityOf(fields['identity'], 'instance.identity'),
    incarnation: wholeNumber(fields['incarnation'] ?? 0, 'instance.incarnation'),
    addresses: list(fields['addresses'], 'instance.addresses', instanceBounds.maxAddresses, address),
    contracts: list(fields['contracts'], 'instance.contracts', instanceBounds.maxContracts, contract),
    ...(calls === undefined ? undefined : { calls }),
    status: status(fields['status'] ?? 'up', 'instance.status'),
    ...(override === undefined ? undefined : { override }),
    ...(zone === undefined ? undefined : { zone }),
    ...(cluster === undefined ? undefined : { cluster }),
    weight: weight(fields['weight'] ?? 1, 'instance.weight'),
    ...(lease === undefined ? undefined : { lease }),
    ...(startedAt === undefined ? undefined : { startedAt }),
    revision: wholeNumber(fields['revision'] ?? 0, 'instance.revision'),
    metadata: metadata(fields['metadata'], 'instance.metadata'),
    bags: bags(fields['bags'], 'instance.bags'),
  };
}

/** @throws FlotillaError INVALID_INPUT naming `field` unless `value` is a status. */
export function checkStatus(value: unknown, field: string): InstanceStatus {
  return status(value, field);
}

function identityOf(value: unknown, field: string): Identity {
  const { service, ...parts } = record(value, field);
  try {
    return identity(oneText(service, `${field}.service`), {
      ...named(parts, 'namespace', field),
      ...named(parts, 'group', field),
      ...named(parts, 'version', field),
    });
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError) || thrown.detail.startsWith(field)) throw thrown;
    throw new FlotillaError('INVALID_INPUT', `${field}.${thrown.detail}`);
  }
}

function named(parts: Readonly<Record<string, unknown>>, name: string, field: string): Record<string, string> {
  return parts[name] === undefined ? {} : { [name]: oneText(parts[name], `${field}.${name}`) };
}

function address(value: unknown, field: string): Address {
  const { protocol, host, port } = record(value, field);
  if (typeof protocol !== 'string' || !protocolName.test(protocol)) {
    throw wrong(`${field}.protocol`, 'a scheme of 1 to 64 letters, digits and + . -', protocol);
  }
  if (typeof host !== 'string' || !isHost(host)) {
    throw wrong(`${field}.host`, 'a name or an IP address of 1 to 255 characters, IPv6 without brackets', host);
  }
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw wrong(`${field}.port`, 'a whole number from 0 to 65535', port);
  }
  return { protocol, host, port };
}

function contract(value: unknown, field: string): ContractRef {
  const { name, version, hash } = record(value, field);
  return {
    name: text(name, `${field}.name`),
    version: wholeNumber(version, `${field}.version`),
    hash: hash === undefined || hash === '' ? '' : text(hash, `${field}.hash`),
  };
}

function leaseTerms(value: unknown, field: string): LeaseTerms {
  const { renewEveryMs, lastsMs } = record(value, field);
  return {
    renewEveryMs: positive(renewEveryMs, `${field}.renewEveryMs`),
    lastsMs: positive(lastsMs, `${field}.lastsMs`),
  };
}

function metadata(value: unknown, field: string): Record<string, string> {
  const { maxMetadataKeys, maxMetadataEntryBytes } = instanceBounds;
  const entries = Object.entries(value === undefined ? {} : record(value, field));
  if (entries.length > maxMetadataKeys) throw wrong(field, `at most ${maxMetadataKeys} keys`, entries.length);
  return Object.fromEntries(
    entries.map(([key, held]) => {
      const place = `${field}["${shorten(key)}"]`;
      if (typeof held !== 'string') throw wrong(place, 'text', held);
      checkKey(key, place);
      const bytes = Buffer.byteLength(key) + Buffer.byteLength(held);
      if (bytes > maxMetadataEntryBytes)
        throw wrong(place, `at most ${maxMetadataEntryBytes} bytes with its key`, bytes);
      return [key, held];
    }),
  );
}

function bags(value: unknown, field: string): Record<string, Json> {
  const { maxBags, maxBagBytes } = instanceBounds;
  const entries = Object.entries(value === undefined ? {} : record(value, field));
  if (entries.length > maxBags) throw wrong(field, `at most ${maxBags} bags`, entries.length);
  return Object.fromEntries(
    entries.map(([dialect, held]) => {
      const place = `${field}["${shorten(dialect)}"]`;
      checkKey(dialect, place);
      const bag = jsonOf(held, place, instanceBounds.maxBagDepth);
      const bytes = Buffer.byteLength(JSON.stringify(bag));
      if (bytes > maxBagBytes) throw wrong(place, `at most ${maxBagBytes} bytes of JSON`, bytes);
      return [dialect, bag];
    }),
  );
}

/** A copy of plain JSON; the depth is bounded, keys that reach into objects are refused. */
function jsonOf(value: unknown, field: string, depth: number): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') throw wrong(field, 'JSON', value);
  if (depth === 0) throw wrong(field, `at most ${instanceBounds.maxBagDepth} levels deep`, 'more');
  if (Array.isArray(value)) return value.map((item, index) => jsonOf(item, `${field}[${index}]`, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => {
      checkKey(key, `${field}["${shorten(key)}"]`);
      return [key, jsonOf(held, `${field}["${shorten(key)}"]`, depth - 1)];
    }),
  );
}

function weight(value: unknown, field: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= instanceBounds.maxWeight)) {
    throw wrong(field, `a number from 0 to ${instanceBounds.maxWeight}`, value);
  }
  return value;
}

function status(value: unknown, field: string): InstanceStatus {
  const known = instanceStatuses.find((candidate) => candidate === value);
  if (!known) throw wrong(field, `one of ${instanceStatuses.join(', ')}`, value);
  return known;
}
