import {
  type Address,
  checkId,
  FlotillaError,
  type Instance,
  type InstanceFacts,
  identity,
  isHost,
  isProtocol,
  leaseDefaults,
  readNotes,
  readOwn,
  writeNotes,
  writeOwn,
} from '@flotilla/core';
import { record } from '../../field-checks.ts';

/** What `PUT /v1/agent/service/register` takes (Consul's API reference, "Agent HTTP API: Service"), as far as it is used. */
export interface ConsulRegistration {
  readonly ID: string;
  readonly Name: string;
  readonly Tags: readonly string[];
  readonly Address: string;
  readonly Port: number;
  readonly Meta: Readonly<Record<string, string>>;
  readonly Check: {
    readonly CheckID: string;
    readonly Name: string;
    /** A duration in Go's writing: without a sign of life for so long the check is critical. */
    readonly TTL: string;
    readonly Status: ConsulStatus;
    readonly DeregisterCriticalServiceAfter: string;
  };
}

export type ConsulStatus = 'passing' | 'warning' | 'critical';

/** What Consul takes as metadata of a service: names of letters, digits, `-` and `_`, and no more than this. */
export const consulMetaLimits: Readonly<{ maxKeys: number; maxKeyCharacters: number; maxValueBytes: number }> =
  Object.freeze({ maxKeys: 64, maxKeyCharacters: 128, maxValueBytes: 512 });

/** A contract that the instance serves, as a tag: by it whoever serves a contract is found. */
export const contractTagPrefix = 'flotilla-contract=';

/** Metadata that Consul does not take as it is, as JSON, in parts of 512 bytes: `flotilla-more-0`, `-1`, … */
const packedPrefix = 'flotilla-more-';
const plainName = /^[A-Za-z0-9_-]{1,128}$/;
/** Consul's own, and ours. */
const reservedName = /^(?:consul-|flotilla-more-)/;
/** A TTL check is critical for at least this long before Consul takes the service out. */
const leastDeregisterMs = 60_000;

/**
 * The registration of an instance. Metadata that Consul takes stays as it is, for others to read: notes (facts without a
 * field of their own) have dots in their names and travel packed.
 * @throws FlotillaError INVALID_INPUT when it does not fit.
 */
export function encodeConsulInstance(instance: Instance): ConsulRegistration {
  const main = instance.addresses[0];
  if (!main) throw new FlotillaError('INVALID_INPUT', `the instance "${instance.id}" has no address to register`);
  const { lastsMs } = instance.lease ?? leaseDefaults;
  const id = consulId(instance);
  const { host, port, protocol } = main;
  const facts: [string, string][] = [...secureOf(protocol), ...placesOf(instance)];
  const named = new Set(facts.map(([name]) => name));
  const own = writeOwn(instance.metadata, (name, text) => named.has(name) || isFact(name, text));
  const native = nativeFacts(
    { id, service: instance.identity.service, host, port, warmth: statusOf(instance) },
    new Map(facts),
  );
  return {
    ID: id,
    Name: instance.identity.service,
    Tags: [...new Set(instance.contracts.map(({ name }) => `${contractTagPrefix}${name}`))],
    Address: host,
    Port: port,
    Meta: packed([...facts, ...own, ...writeNotes(instance, native)], instance.id),
    Check: {
      CheckID: checkIdOf(id),
      Name: 'Flotilla: renewed by the instance itself',
      TTL: `${Math.ceil(lastsMs / 1_000)}s`,
      Status: statusOf(instance),
      DeregisterCriticalServiceAfter: `${Math.ceil(Math.max(lastsMs, leastDeregisterMs) / 1_000)}s`,
    },
  };
}

/** Agents have one name space for all services. */
export function consulId({ identity: { service }, id }: Pick<Instance, 'identity' | 'id'>): string {
  return `${service}:${id}`;
}

export function checkIdOf(consulServiceId: string): string {
  return `service:${consulServiceId}`;
}

/** Of what the owner says, what Consul's check can: only who is up passes. */
export function statusOf({ status }: Pick<Instance, 'status'>): ConsulStatus {
  return status === 'up' ? 'passing' : 'critical';
}

/**
 * The instance of one entry of `GET /v1/health/service/:service`.
 *
 * | neutral | entry |
 * |---|---|
 * | `id` | `Service.ID` |
 * | `identity.service` | `Service.Service` |
 * | `addresses` | `Service.Address`, else `Node.Address`, with `Service.Port`; https when metadata `secure` is `true`, as Spring Cloud Consul writes it |
 * | `status` | `down` when a check is critical, else `up`: a warning is a passing one |
 * | `zone`, `weight` | metadata `zone`; `Service.Weights.Passing` |
 * | `metadata` | all other metadata |
 * | all else | notes: see `writeNotes` of `@flotilla/core` |
 *
 * @throws FlotillaError INVALID_INPUT
 */
export function decodeConsulInstance(entry: unknown): Instance {
  const { Node, Service, Checks } = record(entry, 'entry');
  const service = record(Service, 'Service');
  const meta = unpacked(record(service['Meta'] ?? {}, 'Service.Meta'));
  const host = text(service['Address']) || text((Node as { Address?: unknown } | null)?.Address);
  const port = service['Port'];
  if (typeof port !== 'number') throw new FlotillaError('INVALID_INPUT', 'Service.Port is no number');
  const weight = weightOf(service['Weights']);
  const native = nativeFacts(
    { id: text(service['ID']), service: text(service['Service']), host, port, warmth: worst(Checks) },
    new Map(meta),
    weight,
  );
  const facts = readNotes(native, meta);
  const status = facts.status === 'up' && native.status !== 'up' ? native.status : facts.status;
  return { ...facts, status, id: checkId(facts.id), metadata: Object.fromEntries(readOwn(meta, isFact)), bags: {} };
}

interface NativeParts {
  readonly id: string;
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly warmth: ConsulStatus;
}

function nativeFacts(parts: NativeParts, meta: ReadonlyMap<string, string>, weight = 1): InstanceFacts {
  const { id, service, host, port, warmth } = parts;
  if (!isHost(host)) throw new FlotillaError('INVALID_INPUT', 'neither Service.Address nor Node.Address is a host');
  const scheme = meta.get('scheme');
  const protocol =
    meta.get('secure') === 'true' ? 'https' : scheme !== undefined && isProtocol(scheme) ? scheme : 'http';
  const address: Address = { protocol, host, port };
  const zone = meta.get('zone');
  return {
    id,
    identity: identity(service),
    incarnation: 0,
    addresses: [address],
    contracts: [],
    status: warmth === 'critical' ? 'down' : 'up',
    ...(zone === undefined || zone === '' ? undefined : { zone }),
    weight,
    lease: leaseDefaults,
    revision: 0,
  };
}

/** Whether an entry of metadata is read as something else than the owner's. */
function isFact(name: string, value: string): boolean {
  return name === 'secure' || name === 'zone' || (name === 'scheme' && isProtocol(value));
}

function secureOf(protocol: string): [string, string][] {
  return protocol === 'http' ? [] : protocol === 'https' ? [['secure', 'true']] : [['scheme', protocol]];
}

function placesOf({ zone }: Instance): [string, string][] {
  return zone === undefined ? [] : [['zone', zone]];
}

/** The worst check counts; an entry without checks passes. */
function worst(checks: unknown): ConsulStatus {
  if (!Array.isArray(checks)) return 'passing';
  const states = checks.map((check: { Status?: unknown } | null) => check?.Status);
  if (states.some((state) => state !== 'passing' && state !== 'warning')) return 'critical'; // `maintenance` is one too
  return states.includes('warning') ? 'warning' : 'passing';
}

function weightOf(weights: unknown): number {
  const passing = (weights as { Passing?: unknown } | null | undefined)?.Passing;
  return typeof passing === 'number' && passing >= 1 && Number.isFinite(passing) ? passing : 1;
}

/** @throws FlotillaError INVALID_INPUT when Consul would not take it. */
function packed(entries: readonly (readonly [string, string])[], id: string): Record<string, string> {
  const { maxKeys, maxValueBytes } = consulMetaLimits;
  const fits = ([name, value]: readonly [string, string]): boolean =>
    plainName.test(name) && !reservedName.test(name) && Buffer.byteLength(value) <= maxValueBytes;
  const plain = entries.filter(fits);
  const rest = entries.filter((entry) => !fits(entry));
  const text = rest.length === 0 ? '' : asciiJson(rest);
  const parts = Array.from({ length: Math.ceil(text.length / maxValueBytes) }, (_, index): [string, string] => [
    `${packedPrefix}${index}`,
    text.slice(index * maxValueBytes, (index + 1) * maxValueBytes),
  ]);
  const all = [...plain, ...parts];
  if (all.length > maxKeys) {
    throw new FlotillaError(
      'INVALID_INPUT',
      `the metadata and contracts of "${id}" need ${all.length} entries; Consul takes ${maxKeys} of ${maxValueBytes} bytes`,
    );
  }
  return Object.fromEntries(all);
}

/** @throws FlotillaError INVALID_INPUT when what is packed is not ours. */
function unpacked(meta: Readonly<Record<string, unknown>>): [string, string][] {
  const entries = Object.entries(meta).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const plain = entries.filter(([name]) => !name.startsWith(packedPrefix));
  let text = '';
  for (let index = 0; typeof meta[`${packedPrefix}${index}`] === 'string'; index++)
    text += meta[`${packedPrefix}${index}`];
  if (text === '') return plain;
  try {
    const rest: unknown = JSON.parse(text);
    if (Array.isArray(rest) && rest.every(isPair)) return [...plain, ...rest];
  } catch {
    // Said below.
  }
  throw new FlotillaError('INVALID_INPUT', `metadata "${packedPrefix}0" and on is not what Flotilla writes there`);
}

/** So that a part of it never ends within a character. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
