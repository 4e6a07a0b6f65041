import {
  type Address,
  checkId,
  FlotillaError,
  type Instance,
  type InstanceFacts,
  type InstanceStatus,
  identity,
  isHost,
  leaseDefaults,
  readNotes,
  readOwn,
  writeNotes,
  writeOwn,
} from '@flotilla/core';
import { record } from '../../field-checks.ts';

/**
 * The JSON of a node `/services/<name>/<id>` as Curator writes it (`ServiceInstance` of curator-x-discovery, read and
 * written by Jackson), with the payload of Spring Cloud ZooKeeper (`ZookeeperInstance`).
 */
export interface CuratorInstance {
  readonly name: string;
  /** The node's own name. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** Where there is one, Spring calls by https, at this port. */
  readonly sslPort: number | null;
  readonly payload: {
    /** Jackson makes an object of that class from the payload: without it a Java reader fails. */
    readonly '@class': string;
    readonly id: string;
    readonly name: string;
    readonly metadata: Readonly<Record<string, string>>;
  };
  readonly registrationTimeUTC: number;
  /** DYNAMIC: ephemeral. PERMANENT: persistent. */
  readonly serviceType: 'DYNAMIC' | 'PERMANENT';
  readonly uriSpec: unknown;
  /** Only written when false: Curator before 4.0 does not know it. */
  readonly enabled?: false;
}

const payloadClass = 'org.springframework.cloud.zookeeper.discovery.ZookeeperInstance';
/** Spring Cloud ZooKeeper's own names in the metadata (`StatusConstants`). */
const statusKey = 'instance_status';
/** `{scheme}://{address}:{port}`: from it Spring makes the URI that it calls. */
const uriSpec = Object.freeze({
  parts: [
    { value: 'scheme', variable: true },
    { value: '://', variable: false },
    { value: 'address', variable: true },
    { value: ':', variable: false },
    { value: 'port', variable: true },
  ],
});
/** Nodes of these types outlive their session. */
const lastingTypes: readonly unknown[] = ['PERMANENT', 'STATIC'];

/**
 * The node of an instance.
 * @throws FlotillaError INVALID_INPUT for one without an address: a Java reader needs one.
 */
export function encodeCuratorInstance(instance: Instance): CuratorInstance {
  const main = mainAddress(instance);
  const id = nodeName(instance.id);
  const native: [string, string][] = [
    [statusKey, instance.status === 'up' ? 'UP' : 'OUT_OF_SERVICE'],
    ...(instance.zone === undefined ? [] : ([['zone', instance.zone]] as const)),
    ...(instance.weight === 1 ? [] : ([['weight', String(instance.weight)]] as const)),
  ].map(([name = '', text = '']) => [name, text]);
  const document = (metadata: readonly (readonly [string, string])[]): CuratorInstance => ({
    name: instance.identity.service,
    id,
    address: main.host,
    port: main.port,
    sslPort: main.protocol === 'https' ? main.port : null,
    payload: { '@class': payloadClass, id, name: instance.identity.service, metadata: Object.fromEntries(metadata) },
    registrationTimeUTC: instance.incarnation,
    serviceType: instance.lease ? 'DYNAMIC' : 'PERMANENT',
    uriSpec,
    ...(instance.status === 'up' ? undefined : { enabled: false }),
  });
  const named = new Set(native.map(([name]) => name));
  const own = writeOwn(instance.metadata, (name, text) => named.has(name) || isFact(name, text));
  const plain = nativeFacts(record(document(native), 'instance'), new Map(native));
  return document([...native, ...own, ...writeNotes(instance, plain)]);
}

/**
 * The instance that a node describes.
 *
 * | neutral | node |
 * |---|---|
 * | `id`, `identity.service` | `id`, `name` |
 * | `incarnation` | `registrationTimeUTC` |
 * | `addresses` | `address` with `sslPort` as https if there is one, else with `port` as http (as `dubbo` in a node of Dubbo) |
 * | `status` | metadata `instance_status`: `UP` or none is `up`, anything else `out-of-service`; so is `enabled: false` |
 * | `zone`, `weight` | metadata of that name |
 * | `lease` | `serviceType` PERMANENT or STATIC: none; else the customary terms: the node ends with its session |
 * | `metadata` | all other metadata of the payload |
 * | all else | notes: see `writeNotes` of `@flotilla/core` |
 *
 * A payload of another class is no error: what of it is no text is passed over.
 * @throws FlotillaError INVALID_INPUT
 */
export function decodeCuratorInstance(document: unknown): Instance {
  const node = record(document, 'node');
  const metadata = metadataOf(node['payload']);
  const facts = readNotes(nativeFacts(node, new Map(metadata)), metadata);
  return { ...facts, id: checkId(facts.id), metadata: Object.fromEntries(readOwn(metadata, isFact)), bags: {} };
}

/**
 * The name of the node of an id: characters that ZooKeeper or a path does not take are percent-encoded (ZooKeeper
 * Programmer's Guide, "The ZooKeeper Data Model").
 */
export function nodeName(id: string): string {
  if (id === '.' || id === '..') return id.replaceAll('.', '%2E');
  return id.replace(/[^\x20-\x24\x26-\x2e\x30-\x7e]/gu, encodeURIComponent);
}

function mainAddress({ id, addresses }: Instance): Address {
  const main = addresses.find(({ protocol }) => protocol === 'http' || protocol === 'https') ?? addresses[0];
  if (main) return main;
  throw new FlotillaError('INVALID_INPUT', `the instance "${id}" has no address to register`);
}

function nativeFacts(node: Readonly<Record<string, unknown>>, metadata: ReadonlyMap<string, string>): InstanceFacts {
  const host = textOf(node['address']);
  if (!isHost(host)) throw new FlotillaError('INVALID_INPUT', 'its address is no host');
  const zone = metadata.get('zone');
  const lasting = lastingTypes.includes(node['serviceType']);
  const incarnation = node['registrationTimeUTC'];
  return {
    id: textOf(node['id']),
    identity: identity(textOf(node['name'])),
    incarnation: typeof incarnation === 'number' ? incarnation : 0,
    addresses: [addressOf(node, host)],
    contracts: [],
    status: statusOf(node, metadata),
    ...(zone === undefined || zone === '' ? undefined : { zone }),
    weight: weightIn(metadata.get('weight')) ?? 1,
    ...(lasting ? undefined : { lease: leaseDefaults }),
    revision: 0,
  };
}

function addressOf({ port, sslPort, payload }: Readonly<Record<string, unknown>>, host: string): Address {
  const secure = typeof sslPort === 'number' && sslPort > 0;
  const chosen = secure ? sslPort : port;
  if (typeof chosen !== 'number') throw new FlotillaError('INVALID_INPUT', 'it has neither port nor sslPort');
  const className = textOf((payload as { '@class'?: unknown } | null | undefined)?.['@class']);
  const plain = className.startsWith('org.apache.dubbo.') ? 'dubbo' : 'http';
  return { protocol: secure ? 'https' : plain, host, port: chosen };
}

function statusOf(
  { enabled }: Readonly<Record<string, unknown>>,
  metadata: ReadonlyMap<string, string>,
): InstanceStatus {
  const said = metadata.get(statusKey) ?? '';
  return enabled === false || (said.trim() !== '' && said.toUpperCase() !== 'UP') ? 'out-of-service' : 'up';
}

/** Whether an entry of metadata is read as something else than the owner's. */
function isFact(name: string, text: string): boolean {
  return name === statusKey || (name === 'zone' && text !== '') || (name === 'weight' && weightIn(text) !== undefined);
}

/** Only as it is written here: `007` is the owner's own. */
function weightIn(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value >= 0 && String(value) === text ? value : undefined;
}

function metadataOf(payload: unknown): [string, string][] {
  const { metadata } = (payload ?? {}) as { metadata?: unknown };
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return [];
  return Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
