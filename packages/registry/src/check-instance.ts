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
  isKey,
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
  // Member by member: spreads would take longer than all of the checks.
  const read: Writable<Instance> = {
    id: text(fields['id'], 'instance.id'),
    identity: identityOf(fields['identity'], 'instance.identity'),
    incarnation: wholeNumber(fields['incarnation'] ?? 0, 'instance.incarnation'),
    addresses: list(fields['addresses'], 'instance.addresses', instanceBounds.maxAddresses, address),
    contracts: list(fields['contracts'], 'instance.contracts', instanceBounds.maxContracts, contract),
    status: status(fields['status'] ?? 'up', 'instance.status'),
    weight: weight(fields['weight'] ?? 1, 'instance.weight'),
    revision: wholeNumber(fields['revision'] ?? 0, 'instance.revision'),
    metadata: metadata(fields['metadata'], 'instance.metadata'),
    bags: bags(fields['bags'], 'instance.bags'),
  };
  if (calls !== undefined) read.calls = calls;
  if (override !== undefined) read.override = override;
  if (zone !== undefined) read.zone = zone;
  if (cluster !== undefined) read.cluster = cluster;
  if (lease !== undefined) read.lease = lease;
  if (startedAt !== undefined) read.startedAt = startedAt;
  return read;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** @throws FlotillaError INVALID_INPUT naming `field` unless `value` is a status. */
export function checkStatus(value: unknown, field: string): InstanceStatus {
  return status(value, field);
}

function identityOf(value: unknown, field: string): Identity {
  const { service, namespace, group, version } = record(value, field);
  try {
    return identity(oneText(service, `${field}.service`), {
      namespace: named(namespace, `${field}.namespace`),
      group: named(group, `${field}.group`),
      version: named(version, `${field}.version`),
    });
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError) || thrown.detail.startsWith(field)) throw thrown;
    throw new FlotillaError('INVALID_INPUT', `${field}.${thrown.detail}`);
  }
}

function named(value: unknown, field: string): string | undefined {
  return value === undefined ? undefined : oneText(value, field);
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
  const given = value === undefined ? {} : record(value, field);
  const keys = Object.keys(given);
  if (keys.length > maxMetadataKeys) throw wrong(field, `at most ${maxMetadataKeys} keys`, keys.length);
  const read: Record<string, string> = {}; // in a loop, as below: a registry does this for every registration
  for (const key of keys) {
    const held = given[key];
    if (typeof held !== 'string') throw wrong(memberOf(field, key), 'text', held);
    checkMember(key, field);
    if (key.length + held.length > maxMetadataEntryBytes / mostBytesPerCharacter) {
      const bytes = Buffer.byteLength(key) + Buffer.byteLength(held);
      if (bytes > maxMetadataEntryBytes)
        throw wrong(memberOf(field, key), `at most ${maxMetadataEntryBytes} bytes with its key`, bytes);
    }
    read[key] = held;
  }
  return read;
}

function bags(value: unknown, field: string): Record<string, Json> {
  const { maxBags, maxBagBytes } = instanceBounds;
  const given = value === undefined ? {} : record(value, field);
  const dialects = Object.keys(given);
  if (dialects.length > maxBags) throw wrong(field, `at most ${maxBags} bags`, dialects.length);
  const read: Record<string, Json> = {};
  for (const dialect of dialects) {
    checkMember(dialect, field);
    const place = memberOf(field, dialect);
    const bag = jsonOf(given[dialect], place, instanceBounds.maxBagDepth);
    if (mostBytesOf(bag) > maxBagBytes) {
      const bytes = Buffer.byteLength(JSON.stringify(bag));
      if (bytes > maxBagBytes) throw wrong(place, `at most ${maxBagBytes} bytes of JSON`, bytes);
    }
    read[dialect] = bag;
  }
  return read;
}

/** UTF-8 bytes of a UTF-16 unit. */
const mostBytesPerCharacter = 3;
/** Of a unit in the text of JSON: `\u001f`. */
const mostBytesEscaped = 6;
/** The longest number, `-1.2345678901234567e-100`, with room for the comma behind it. */
const mostBytesOfNumber = 32;

/** No fewer than the bytes of its JSON text, without writing that: nearly every bag is far below its limit. */
function mostBytesOf(json: Json): number {
  if (typeof json === 'string') return mostBytesEscaped * json.length + 3;
  if (typeof json !== 'object' || json === null) return mostBytesOfNumber;
  let bytes = 3;
  if (Array.isArray(json)) for (const item of json as readonly Json[]) bytes += mostBytesOf(item);
  else for (const [key, held] of Object.entries(json)) bytes += mostBytesEscaped * key.length + 3 + mostBytesOf(held);
  return bytes;
}

/** The path of a member, for whoever is told of it: nobody, nearly always, so it is not made before. */
function memberOf(field: string, key: string): string {
  return `${field}["${shorten(key)}"]`;
}

function checkMember(key: string, field: string): void {
  if (!isKey(key)) checkKey(key, memberOf(field, key));
}

/** A copy of plain JSON; the depth is bounded, keys that reach into objects are refused. */
function jsonOf(value: unknown, field: string, depth: number): Json {
  if (isPlain(value)) return value;
  if (typeof value !== 'object') throw wrong(field, 'JSON', value);
  if (depth === 0) throw wrong(field, `at most ${instanceBounds.maxBagDepth} levels deep`, 'more');
  if (Array.isArray(value)) return value.map((item, index) => jsonOf(item, `${field}[${index}]`, depth - 1));
  const read: Record<string, Json> = {};
  for (const [key, held] of Object.entries(value)) {
    checkMember(key, field);
    read[key] = isPlain(held) ? held : jsonOf(held, memberOf(field, key), depth - 1);
  }
  return read;
}

function isPlain(value: unknown): value is null | string | boolean | number {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function weight(value: unknown, field: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= instanceBounds.maxWeight)) {
    throw wrong(field, `a number from 0 to ${instanceBounds.maxWeight}`, value);
  }
  return value;
}

function status(value: unknown, field: string): InstanceStatus {
  if (value === 'up') return value;
  const known = instanceStatuses.find((candidate) => candidate === value);
  if (!known) throw wrong(field, `one of ${instanceStatuses.join(', ')}`, value);
  return known;
}
