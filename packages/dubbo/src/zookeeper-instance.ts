import {
  type Address,
  checkId,
  type Instance,
  type InstanceFacts,
  identity,
  type Json,
  leaseDefaults,
  readNotes,
  writeNotes,
} from '@flotilla/core';
import { bagOf, countOf, flag, objectOrNothing, textOr, withBag } from './bag.ts';
import { checkNumber, checkPlace, type DocumentReader, readerOf } from './document.ts';
import { endpointsName, formatEndpoints, parseEndpoints } from './endpoints.ts';
import { readOwnMetadata, writeOwnMetadata } from './own-metadata.ts';
import { isFact, readFacts, writeFacts } from './parameters.ts';

/**
 * The JSON of a node `/services/<application>/<host>:<port>` (Curator, `ServiceInstance`), members in this order.
 * Members that may be absent may be null too.
 */
export interface ZookeeperInstance {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly sslPort?: number | null;
  readonly payload: {
    /** Without it a Java consumer does not start. */
    readonly '@class': string;
    readonly id: string;
    readonly name: string;
    /** Sorted by name. */
    readonly metadata: Readonly<Record<string, string>>;
  };
  readonly registrationTimeUTC: number;
  readonly serviceType?: string | null;
  readonly uriSpec?: unknown;
}

type Entry = readonly [name: string, text: string];
type Bag = { readonly [member: string]: Json };

const bagName = 'dubbo';
const payloadClass = 'org.apache.dubbo.registry.zookeeper.ZookeeperInstance';
const optionalMembers = ['sslPort', 'serviceType', 'uriSpec'] as const;
/** Nodes of these types outlive their session. */
const lastingTypes: readonly string[] = ['PERMANENT', 'STATIC'];
/** A Java reader wants a port from 1 on, also of an instance without an address. */
const nowhere: Omit<Address, 'protocol'> = { host: 'no-address.invalid', port: 1 };

/**
 * The instance that an application-level node describes.
 *
 * | neutral | node |
 * |---|---|
 * | `id` | `id` |
 * | `identity.service` | `name` |
 * | `incarnation` | `registrationTimeUTC` |
 * | `addresses` | `address` with each of metadata `dubbo.endpoints`, else with `port` as `dubbo` |
 * | `startedAt`, `weight`, `zone`, `status` | metadata, as in the parameters of a provider's URL |
 * | `lease` | `serviceType` PERMANENT or STATIC: none; else the customary terms, for a node that lives with its session |
 * | `metadata` | all other metadata |
 * | all else | notes: see `writeNotes` of `@flotilla/core` |
 *
 * @throws FlotillaError MALFORMED_REQUEST for JSON of another shape; INVALID_INPUT naming what is out of bounds.
 */
export function decodeZookeeperInstance(document: unknown): Instance {
  const node = readerOf(document, 'instance');
  const entries = node.object('payload').texts('metadata');
  const facts = readNotes(nativeFacts(node, new Map(entries)), entries);
  const { metadata, overflow } = readOwnMetadata(entries, isInstanceFact);
  const instance: Instance = { ...facts, id: checkId(facts.id), metadata, bags: {} };
  return withBag(instance, bagName, { ...bagMembers(node, instance), overflow: objectOrNothing(overflow) });
}

/**
 * The node's JSON of an instance; `JSON.stringify` of it is what a Java provider writes. Reading it again gives the
 * same instance, other dialects' bags excepted.
 */
export function encodeZookeeperInstance(instance: Instance): ZookeeperInstance {
  const document = documentOf(instance, []);
  const native = nativeFacts(readerOf(document, 'instance'), new Map(Object.entries(document.payload.metadata)));
  return documentOf(instance, writeNotes(instance, native));
}

/** What the node says without notes. */
function nativeFacts(node: DocumentReader, metadata: ReadonlyMap<string, string>): InstanceFacts {
  const [host, port] = [node.text('address'), node.number('port')];
  checkPlace(host, port);
  const { startedAt, ...facts } = readFacts(metadata);
  return {
    id: node.text('id'),
    identity: identity(node.text('name')),
    incarnation: checkNumber('registrationTimeUTC', node.number('registrationTimeUTC', 0), true),
    addresses: parseEndpoints(metadata.get(endpointsName), host) ?? [{ protocol: 'dubbo', host, port }],
    contracts: [],
    ...facts,
    ...(lastingTypes.includes(node.text('serviceType', 'DYNAMIC')) ? undefined : { lease: leaseDefaults }),
    ...(startedAt === undefined ? undefined : { startedAt }),
    revision: 0,
  };
}

function bagMembers(node: DocumentReader, instance: Instance): Readonly<Record<string, Json | undefined>> {
  const [host, port] = [node.text('address'), node.number('port')];
  const place = instance.addresses.findIndex((address) => address.host === host && address.port === port);
  const type = node.text('serviceType', 'DYNAMIC');
  const className = node.object('payload').text('@class', payloadClass);
  const metadata = new Map(node.object('payload').texts('metadata'));
  const absent = optionalMembers.filter((name) => !Object.hasOwn(node.fields, name));
  return {
    ownId: flag(node.text('id') !== `${host}:${port}`),
    port: place < 0 && instance.addresses.length > 0 ? port : undefined,
    mainAddress: place > 0 ? place : undefined,
    implicitEndpoints: flag(!metadata.has(endpointsName)),
    sslPort: node.has('sslPort') ? checkNumber('sslPort', node.number('sslPort'), true) : undefined,
    serviceType: type === usualType(instance) ? undefined : type,
    uriSpec: node.has('uriSpec') ? (node.fields['uriSpec'] as Json) : undefined,
    payloadClass: className === payloadClass ? undefined : className,
    absent: absent.length === 0 ? undefined : absent,
  };
}

function documentOf(instance: Instance, notes: readonly Entry[]): ZookeeperInstance {
  const bag = bagOf(instance, bagName);
  const { name, address, port, id } = placeOf(instance, bag);
  const entries = [...metadataOf(instance, bag, address, port), ...notes].sort(([a], [b]) => (a < b ? -1 : 1));
  const document: ZookeeperInstance = {
    name,
    id,
    address,
    port,
    sslPort: countOf(bag['sslPort']) ?? null,
    payload: {
      '@class': textOr(bag['payloadClass'], payloadClass),
      id,
      name,
      metadata: Object.fromEntries(entries),
    },
    registrationTimeUTC: instance.incarnation,
    serviceType: typeOf(instance, bag),
    uriSpec: bag['uriSpec'] ?? null,
  };
  return withoutAbsent(document, bag['absent']);
}

function placeOf(
  { addresses, identity: { service }, id }: Instance,
  bag: Bag,
): Pick<ZookeeperInstance, 'name' | 'id' | 'address' | 'port'> {
  const main = addresses[countOf(bag['mainAddress']) ?? 0] ?? addresses[0] ?? nowhere;
  const port = countOf(bag['port'], 65_535) ?? main.port;
  return { name: service, id: bag['ownId'] === true ? id : `${main.host}:${port}`, address: main.host, port };
}

function metadataOf(instance: Instance, bag: Bag, host: string, port: number): Entry[] {
  const facts = writeFacts(instance);
  const [only, ...others] = instance.addresses;
  const implied = only?.protocol === 'dubbo' && only.port === port && others.length === 0;
  if (!(implied && bag['implicitEndpoints'] === true)) {
    facts.push([endpointsName, formatEndpoints(instance.addresses, host)]);
  }
  const named = new Set(facts.map(([name]) => name));
  const means = (name: string, text: string): boolean => named.has(name) || isInstanceFact(name, text);
  return [...facts, ...writeOwnMetadata(instance.metadata, bag['overflow'], means)];
}

/** Whether an entry of an instance's metadata is read as something else than the owner's. */
function isInstanceFact(name: string, text: string): boolean {
  return name === endpointsName ? parseEndpoints(text, 'any') !== undefined : isFact(name, text);
}

function usualType({ lease }: Instance): string {
  return lease ? 'DYNAMIC' : 'PERMANENT';
}

/** The bag's type, unless the lease has changed since. */
function typeOf(instance: Instance, bag: Bag): string {
  const usual = usualType(instance);
  return textOr(bag['serviceType'], usual, (type) => lastingTypes.includes(type) === lastingTypes.includes(usual));
}

/** Leaves out what the document that was read had not, if there is nothing to say. */
function withoutAbsent(document: ZookeeperInstance, absent: Json | undefined): ZookeeperInstance {
  const names: readonly unknown[] = Array.isArray(absent) ? absent : [];
  const silent: readonly unknown[] = [null, 'DYNAMIC'];
  const isKept = ([name, value]: [string, unknown]): boolean =>
    !(names.includes(name) && silent.includes(value) && optionalMembers.some((member) => member === name));
  return Object.fromEntries(Object.entries(document).filter(isKept)) as unknown as ZookeeperInstance;
}
