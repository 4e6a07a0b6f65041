import { type Address, addressFor, type Instance, type Json } from '@flotilla/core';
import { countOf } from './bag.ts';
import { endpointsName, formatEndpoints, parseEndpoints } from './endpoints.ts';
import { isLeaseEntry, writeLease } from './nacos-lease.ts';
import { isProviderFact, providerFacts, providerNameOf } from './nacos-provider.ts';
import { writeOwnMetadata } from './own-metadata.ts';
import { isFact, writeFacts } from './parameters.ts';

type Entry = readonly [name: string, text: string];
type Bag = { readonly [member: string]: Json };
type Means = (name: string, text: string) => boolean;

/** What of a document decides how its metadata is read. */
export interface Shape {
  /** Whether it is an interface-level registration of Dubbo. */
  readonly provider: boolean;
  readonly ephemeral: boolean;
  readonly endpoints: readonly Address[] | undefined;
}

const nowhere: Address = { protocol: 'http', host: 'no-address.invalid', port: 0 };

/** Whether an entry of metadata is read as something else than the owner's. */
export function meaningIn({ provider, ephemeral, endpoints }: Shape): Means {
  return (name, text) => {
    if (name === 'zone' || name === 'timestamp') return isFact(name, text);
    if (ephemeral && isLeaseEntry(name, text)) return true;
    if (provider) return isProviderFact(name, text);
    return name === endpointsName ? parseEndpoints(text, 'any') !== undefined : isSecure(name, text) && !endpoints;
  };
}

/** The one place that a document has room for. */
export function placeOf(instance: Instance, bag: Bag): Address {
  const { addresses } = instance;
  const listed = addresses[countOf(bag['mainAddress']) ?? 0] ?? addresses[0];
  const web = addressFor(instance, ['http', 'https']);
  const place = (writesEndpoints(instance, bag) || isProvider(bag) ? listed : (web ?? listed)) ?? nowhere;
  return { ...place, port: countOf(bag['port'], 65_535) ?? place.port };
}

/** Metadata without notes: what says facts, then the owner's. */
export function metadataOf(instance: Instance, bag: Bag, host: string): Entry[] {
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

/** Whether an instance was read from an interface-level registration of Dubbo. */
export function isProvider(bag: Bag): boolean {
  return bag['provider'] === true;
}

/** A consumer of Dubbo's finds the ports of an application's protocols nowhere else. */
export function needsEndpoints({ addresses }: Instance): boolean {
  return addresses.some(({ protocol }) => protocol === 'dubbo' || protocol === 'tri');
}

function serviceFacts(instance: Instance, bag: Bag, host: string): Entry[] {
  if (writesEndpoints(instance, bag)) return [[endpointsName, formatEndpoints(instance.addresses, host)]];
  return placeOf(instance, bag).protocol === 'https' ? [['secure', 'true']] : [];
}

function writesEndpoints(instance: Instance, bag: Bag): boolean {
  return !isProvider(bag) && (needsEndpoints(instance) || bag['endpoints'] === true);
}

function isSecure(name: string, text: string): boolean {
  return name === 'secure' && text === 'true';
}
