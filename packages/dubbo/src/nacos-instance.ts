import {
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
import { endpointsName, parseEndpoints } from './endpoints.ts';
import {
  generatedId,
  type NacosInstance,
  optionalMembers,
  splitName,
  usualCluster,
  usualGroup,
  withoutAbsent,
} from './nacos-document.ts';
import { deleteTimeoutOf, derivedTimes, readLease } from './nacos-lease.ts';
import { isProvider, meaningIn, metadataOf, needsEndpoints, placeOf, type Shape } from './nacos-metadata.ts';
import { providerIdentity, providerMembers, providerNameOf } from './nacos-provider.ts';
import { readSwitches, writeSwitches } from './nacos-status.ts';
import { readOwnMetadata } from './own-metadata.ts';
import { readFacts } from './parameters.ts';

type Entry = readonly [name: string, text: string];
type Bag = { readonly [member: string]: Json };
type Texts = ReadonlyMap<string, string>;

const bagName = 'nacos';
const generatorName = 'preserved.instance.id.generator';

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
  const instance: Instance = { ...facts, id: checkId(facts.id), metadata, bags: {} };
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
    id: reader.text('instanceId', idGivenTo(reader)),
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
    ownId: flag(reader.text('instanceId', idGivenTo(reader)) !== idGivenTo(reader)),
    ungrouped: flag(group === undefined),
    literalGroup: flag(!provider && group === defaultGroup),
    endpoints: flag(endpoints !== undefined && !needsEndpoints(instance)),
    port: place < 0 ? port : undefined,
    mainAddress: place > 0 ? place : undefined,
    ipDeleteTimeout: deleteTimeoutOf(instance, metadata),
    absent: absent.length === 0 ? undefined : absent,
    ...(provider ? { ...providerMembers(metadata), ...placeMembers(group, weight) } : undefined),
  };
}

/** Of an interface-level registration: the Nacos group, and the weight that Dubbo does not read. */
function placeMembers(group = usualGroup, weight = 1): Readonly<Record<string, Json | undefined>> {
  return {
    nacosGroup: group === usualGroup ? undefined : group,
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
  return withoutAbsent(
    {
      instanceId: bag['ownId'] === true ? instance.id : generatedId(document),
      ...document,
      instanceHeartBeatInterval: times['instanceHeartBeatInterval'],
      instanceIdGenerator: metadata.get(generatorName) ?? 'simple',
      instanceHeartBeatTimeOut: times['instanceHeartBeatTimeOut'],
      ipDeleteTimeout: times['ipDeleteTimeout'],
    } as Required<NacosInstance>,
    bag['absent'],
  );
}

function idGivenTo(reader: DocumentReader): string {
  const [ip, port, serviceName] = [reader.text('ip'), reader.number('port'), reader.text('serviceName')];
  return generatedId({ ip, port, serviceName, clusterName: reader.text('clusterName', usualCluster) });
}

/** The Nacos group of an instance; the group of a Dubbo provider is another thing. */
function groupOf({ identity: { group } }: Instance, bag: Bag): string {
  if (isProvider(bag)) return textOr(bag['nacosGroup'], usualGroup, (text) => text !== '' && !text.includes('@'));
  return group === defaultGroup && bag['literalGroup'] !== true ? usualGroup : group;
}

function weightOf({ weight }: Bag): number {
  return typeof weight === 'number' && Number.isFinite(weight) && weight >= 0 ? weight : 1;
}
