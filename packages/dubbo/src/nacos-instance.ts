import {
  type Address,
  addressFor,
  checkId,
  defaultGroup,
  type Identity,
  type Instance,
  type InstanceFacts,
  identity,
  type Json,
  readNotes,
  writeNotes,
} from '@flotilla/core';
import { bagOf, flag, objectOrNothing, textOr, withBag } from './bag.ts';
import { checkNumber, checkPlace, type DocumentReader, readerOf } from './document.ts';
import { endpointsName, formatEndpoints, parseEndpoints } from './endpoints.ts';
import { deleteTimeoutOf, derivedTimes, isLeaseEntry, readLease, writeLease } from './nacos-lease.ts';
import { isProviderFact, providerIdentity, providerNameOf, usualCategory } from './nacos-provider.ts';
import { readSwitches, writeSwitches } from './nacos-status.ts';
import { readOwnMetadata, writeOwnMetadata } from './own-metadata.ts';
import { isFact, readFacts, writeFacts } from './parameters.ts';
import { javaNameOf, pathMembers, pathOf, serviceOf } from './service-name.ts';

/** An instance as Nacos hands it out (`com.alibaba.nacos.api.naming.pojo.Instance`), members in this order. */
export interface NacosInstance {
  /** `ip#port#cluster#group@@service`, unless another generator was chosen. */
  readonly instanceId?: string;
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
  readonly healthy: boolean;
  readonly enabled: boolean;
  /** False: it stays until it is deregistered. */
  readonly ephemeral: boolean;
  readonly clusterName?: string;
  /** `group@@service` */
  readonly serviceName: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** This and those below follow from metadata; milliseconds. */
  readonly instanceHeartBeatInterval?: number;
  readonly instanceIdGenerator?: string;
  readonly instanceHeartBeatTimeOut?: number;
  readonly ipDeleteTimeout?: number;
}

type Entry = readonly [name: string, text: string];
type Bag = { readonly [member: string]: Json };
type Texts = ReadonlyMap<string, string>;
type Means = (name: string, text: string) => boolean;

/** What of a document decides how its metadata is read. */
interface Shape {
  /** Whether it is an interface-level registration of Dubbo. */
  readonly provider: boolean;
  readonly ephemeral: boolean;
  readonly endpoints: readonly Address[] | undefined;
}

const bagName = 'nacos';
const usualGroup = 'DEFAULT_GROUP';
const usualCluster = 'DEFAULT';
const generatorName = 'preserved.instance.id.generator';
const nowhere: Address = { protocol: 'http', host: 'no-address.invalid', port: 0 };
const optionalMembers: readonly string[] = [
  'instanceId',
  'clusterName',
  'instanceHeartBeatInterval',
  'instanceIdGenerator',
  'instanceHeartBeatTimeOut',
  'ipDeleteTimeout',
];

/**
 * The instance that a Nacos document describes: any service's, a Dubbo application's, or one interface of a Dubbo
 * provider, which is told by its service name agreeing with its metadata.
 *
 * | neutral | Nacos |
 * |---|---|
 * | `id` | `instanceId` |
 * | `identity` | `serviceName`, `DEFAULT_GROUP` being the default; of a provider `interface`, `group`, `version` |
 * | `addresses` | `ip` with each of metadata `dubbo.endpoints`, else with `port`; `https` with metadata `secure=true` |
 * | `status`, `override` | `healthy`, `enabled` |
 * | `cluster` | `clusterName`, unless DEFAULT |
 * | `weight` | `weight`; of a provider metadata `weight` / 100 |
 * | `lease` | `ephemeral`, metadata `preserved.heart.beat.interval`, `preserved.heart.beat.timeout` |
 * | `zone` | metadata `zone` |
 * | `startedAt`, `incarnation` | metadata `timestamp` |
 * | `metadata` | all other metadata |
 * | all else | notes: see `writeNotes` of `@flotilla/core` |
 *
 * The namespace is the connection's; a document does not name it.
 * @param serviceName for documents that do not name theirs, as some requests: `group@@service`.
 * @throws FlotillaError MALFORMED_REQUEST for JSON of another shape; INVALID_INPUT naming what is out of bounds.
 */
export function decodeNacosInstance(document: unknown, serviceName?: string): Instance {
  const reader = withServiceName(readerOf(document, 'instance'), serviceName);
  const entries = reader.texts('metadata');
  const shape = shapeOf(reader, new Map(entries));
  const facts = readNotes(nativeFacts(reader, new Map(entries)), entries);
  const { metadata, overflow } = readOwnMetadata(entries, meaningIn(shape));
  const instance: Instance = { ...facts, metadata, bags: {} };
  const members = bagMembers(reader, instance, shape, new Map(entries));
  return withBag(instance, bagName, { ...members, overflow: objectOrNothing(overflow) });
}

/**
 * The Nacos document of an instance. Reading it again gives the same instance, other dialects' bags excepted. What was
 * read from an interface-level registration of Dubbo becomes one again, everything else an ordinary service's.
 */
export function encodeNacosInstance(instance: Instance): NacosInstance {
  const document = documentOf(instance, []);
  const native = nativeFacts(readerOf(document, 'instance'), new Map(Object.entries(document.metadata)));
  return documentOf(instance, writeNotes(instance, native));
}

function withServiceName(reader: DocumentReader, serviceName: string | undefined): DocumentReader {
  if (reader.has('serviceName') || serviceName === undefined) return reader;
  return readerOf({ ...reader.fields, serviceName }, 'instance');
}

function shapeOf(reader: DocumentReader, metadata: Texts): Shape {
  const provider = providerNameOf(metadata) === splitName(reader.text('serviceName')).service;
  return {
    provider,
    ephemeral: reader.flag('ephemeral', true),
    endpoints: provider ? undefined : parseEndpoints(metadata.get(endpointsName), reader.text('ip')),
  };
}

/** Whether an entry of metadata is read as something else than the owner's. */
function meaningIn({ provider, ephemeral, endpoints }: Shape): Means {
  return (name, text) => {
    if (name === 'zone' || name === 'timestamp') return isFact(name, text);
    if (ephemeral && isLeaseEntry(name, text)) return true;
    if (provider) return isProviderFact(name, text);
    return name === endpointsName ? parseEndpoints(text, 'any') !== undefined : isSecure(name, text) && !endpoints;
  };
}

/** What the document says without notes. */
function nativeFacts(reader: DocumentReader, metadata: Texts): InstanceFacts {
  const shape = shapeOf(reader, metadata);
  const [host, port, cluster] = [reader.text('ip'), reader.number('port'), reader.text('clusterName', usualCluster)];
  checkPlace(host, port);
  const { group, service } = splitName(reader.text('serviceName'));
  const { weight, zone, startedAt } = readFacts(metadata);
  const protocol = shape.provider ? metadata.get('protocol') : metadata.get('secure') === 'true' ? 'https' : 'http';
  const name = shape.provider ? providerIdentity(metadata) : serviceIdentity(service, group);
  return {
    id: checkId(reader.text('instanceId', generatedId(reader))),
    identity: identity(name.service, name),
    incarnation: startedAt ?? 0,
    addresses: shape.endpoints ?? [{ protocol: protocol ?? 'http', host, port }],
    contracts: [],
    ...readSwitches({ healthy: reader.flag('healthy', true), enabled: reader.flag('enabled', true) }),
    ...(zone === undefined ? undefined : { zone }),
    ...(cluster === usualCluster ? undefined : { cluster }),
    weight: shape.provider ? weight : checkNumber('weight', reader.number('weight', 1), false),
    ...(shape.ephemeral ? { lease: readLease(metadata) } : undefined),
    ...(startedAt === undefined ? undefined : { startedAt }),
    revision: 0,
  };
}

function serviceIdentity(service: string, group = usualGroup): Pick<Identity, 'service' | 'group'> {
  return { service, group: group === usualGroup ? defaultGroup : group };
}

function bagMembers(
  reader: DocumentReader,
  instance: Instance,
  { provider, endpoints }: Shape,
  metadata: Texts,
): Readonly<Record<string, Json | undefined>> {
  const { group } = splitName(reader.text('serviceName'));
  const port = reader.number('port');
  const place = endpoints?.findIndex((endpoint) => endpoint.port === port) ?? 0;
  const absent = optionalMembers.filter((name) => !reader.has(name));
  const weight = reader.number('weight', 1);
  return {
    ownId: flag(reader.text('instanceId', generatedId(reader)) !== generatedId(reader)),
    ungrouped: flag(group === undefined),
    literalGroup: flag(!provider && group === defaultGroup),
    endpoints: flag(endpoints !== undefined && !needsEndpoints(instance)),
    port: place < 0 ? port : undefined,
    mainAddress: place > 0 ? place : undefined,
    ipDeleteTimeout: deleteTimeoutOf(instance, metadata),
    absent: absent.length === 0 ? undefined : absent,
    ...(provider ? providerMembers(metadata, weight, group) : undefined),
  };
}

function providerMembers(
  metadata: Texts,
  weight: number,
  group: string | undefined,
): Readonly<Record<string, Json | undefined>> {
  const [javaName, path, category] = [metadata.get('interface') ?? '', metadata.get('path'), metadata.get('category')];
  return {
    provider: true,
    nacosGroup: group === undefined || group === usualGroup ? undefined : group,
    category: category === usualCategory ? undefined : category,
    ...pathMembers(path ?? '', javaName),
    inner: flag(serviceOf(javaName).inner),
    weight: weight === 1 ? undefined : weight,
  };
}

function documentOf(instance: Instance, notes: readonly Entry[]): NacosInstance {
  const bag = bagOf(instance, bagName);
  const { host, port } = placeOf(instance, bag);
  const metadata = new Map([...metadataOf(instance, bag, host), ...notes]);
  const provider = isProvider(bag);
  const service = (provider ? providerNameOf(metadata) : undefined) ?? instance.identity.service;
  const group = groupOf(instance, bag);
  const document = {
    ip: host,
    port,
    weight: provider ? weightOf(bag) : instance.weight,
    ...writeSwitches(instance),
    ephemeral: instance.lease !== undefined,
    clusterName: instance.cluster ?? usualCluster,
    serviceName: bag['ungrouped'] === true && group === usualGroup ? service : `${group}@@${service}`,
    metadata: Object.fromEntries(metadata),
  };
  const times = derivedTimes(metadata);
  const generated = generatedId(readerOf(document, 'instance'));
  return withoutAbsent(
    {
      instanceId: bag['ownId'] === true ? instance.id : generated,
      ...document,
      instanceHeartBeatInterval: times['instanceHeartBeatInterval'],
      instanceIdGenerator: metadata.get(generatorName) ?? 'simple',
      instanceHeartBeatTimeOut: times['instanceHeartBeatTimeOut'],
      ipDeleteTimeout: times['ipDeleteTimeout'],
    } as Required<NacosInstance>,
    bag['absent'],
  );
}

function placeOf(instance: Instance, bag: Bag): Address {
  const { addresses } = instance;
  const listed = addresses[Number(bag['mainAddress'] ?? 0)] ?? addresses[0];
  const web = addressFor(instance, ['http', 'https']);
  const place = (writesEndpoints(instance, bag) || isProvider(bag) ? listed : (web ?? listed)) ?? nowhere;
  return typeof bag['port'] === 'number' ? { ...place, port: bag['port'] } : place;
}

function metadataOf(instance: Instance, bag: Bag, host: string): Entry[] {
  const provider = isProvider(bag);
  const facts: Entry[] = [
    ...(provider ? providerFacts(instance, bag) : serviceFacts(instance, bag, host)),
    ...writeFacts(instance).filter(
      ([name]) => name === 'zone' || name === 'timestamp' || (provider && name === 'weight'),
    ),
    ...writeLease(instance, bag['ipDeleteTimeout']),
  ];
  const named = new Set(facts.map(([name]) => name));
  const endpoints = named.has(endpointsName) ? instance.addresses : undefined;
  const isMeant = meaningIn({ provider, ephemeral: instance.lease !== undefined, endpoints });
  // An ordinary service whose own metadata would make it look like a provider
  const disguised =
    !provider && providerNameOf(new Map(Object.entries(instance.metadata))) === instance.identity.service;
  const means: Means = (name, text) => named.has(name) || isMeant(name, text) || (disguised && name === 'category');
  return [...facts, ...writeOwnMetadata(instance.metadata, bag['overflow'], means)];
}

function providerFacts({ identity: { service, group, version }, addresses }: Instance, bag: Bag): Entry[] {
  const javaName = javaNameOf(service, bag['inner'] === true);
  const facts: Entry[] = [
    ['category', textOr(bag['category'], usualCategory, (text) => text !== '')],
    ['interface', javaName],
    ['path', pathOf(bag, javaName)],
    ['protocol', addresses[0]?.protocol ?? 'dubbo'],
  ];
  if (group !== defaultGroup) facts.push(['group', group]);
  if (version !== '') facts.push(['version', version]);
  return facts;
}

function serviceFacts(instance: Instance, bag: Bag, host: string): Entry[] {
  if (writesEndpoints(instance, bag)) return [[endpointsName, formatEndpoints(instance.addresses, host)]];
  return placeOf(instance, bag).protocol === 'https' ? [['secure', 'true']] : [];
}

/** A consumer of Dubbo's finds the ports of an application's protocols nowhere else. */
function needsEndpoints({ addresses }: Instance): boolean {
  return addresses.some(({ protocol }) => protocol === 'dubbo' || protocol === 'tri');
}

function writesEndpoints(instance: Instance, bag: Bag): boolean {
  return !isProvider(bag) && (needsEndpoints(instance) || bag['endpoints'] === true);
}

function isProvider(bag: Bag): boolean {
  return bag['provider'] === true;
}

function isSecure(name: string, text: string): boolean {
  return name === 'secure' && text === 'true';
}

/** The Nacos group of an instance; the group of a Dubbo provider is another thing. */
function groupOf({ identity: { group } }: Instance, bag: Bag): string {
  if (isProvider(bag)) return textOr(bag['nacosGroup'], usualGroup, (text) => text !== '' && !text.includes('@'));
  return group === defaultGroup && bag['literalGroup'] !== true ? usualGroup : group;
}

function weightOf(bag: Bag): number {
  return typeof bag['weight'] === 'number' ? bag['weight'] : 1;
}

function splitName(grouped: string): { readonly group: string | undefined; readonly service: string } {
  const at = grouped.indexOf('@@');
  return at < 0
    ? { group: undefined, service: grouped }
    : { group: grouped.slice(0, at), service: grouped.slice(at + 2) };
}

/** `SimpleInstanceIdGenerator` */
function generatedId(reader: DocumentReader): string {
  const cluster = reader.text('clusterName', usualCluster);
  const { group = usualGroup, service } = splitName(reader.text('serviceName'));
  return `${reader.text('ip')}#${reader.number('port')}#${cluster}#${group}@@${service}`;
}

/** Leaves out what the document that was read had not, if it can be known without. */
function withoutAbsent(document: Required<NacosInstance>, absent: Json | undefined): NacosInstance {
  const names: readonly unknown[] = Array.isArray(absent) ? absent : [];
  const generated = generatedId(readerOf(document, 'instance'));
  const isKept = ([name, value]: [string, unknown]): boolean => {
    if (!names.includes(name) || !optionalMembers.includes(name)) return true;
    if (name === 'instanceId') return value !== generated;
    return name === 'clusterName' && value !== usualCluster;
  };
  return Object.fromEntries(Object.entries(document).filter(isKept)) as unknown as NacosInstance;
}
