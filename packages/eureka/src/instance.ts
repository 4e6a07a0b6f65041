import {
  type Address,
  checkId,
  type Instance,
  type InstanceFacts,
  identity,
  leaseDefaults,
  readNotes,
  writeNotes,
} from '@flotilla/core';
import { bagName, readBag, readFlag, writeBag } from './bag.ts';
import { type EurekaInstance, type EurekaStatus, effectiveId } from './document.ts';
import { entryOrder, readMetadataFacts, readOwnMetadata, withNotes, writeMetadata } from './metadata.ts';
import { fromPageTemplate, type Place } from './page-url.ts';
import { readSaid, type SaidInstance, withoutAbsent } from './read-document.ts';
import { type Rest, restOf, usualRest, webPlaceOf, withClass } from './rest.ts';
import { encodeStatus, readStatuses, shownStatus } from './status.ts';

/** What the registry that answers knows of an entry; it goes before what the instance's bag says. */
export type EurekaListing = Partial<
  Pick<
    Rest,
    | 'lastUpdatedTimestamp'
    | 'actionType'
    | 'isCoordinatingDiscoveryServer'
    | 'registrationTimestamp'
    | 'lastRenewalTimestamp'
    | 'evictionTimestamp'
  >
>;

/**
 * The instance that a Eureka document describes: the object inside `{"instance": …}`, of a client's registration or a
 * server's answer ({@link readEurekaInstance}).
 *
 * | neutral | Eureka |
 * |---|---|
 * | `id` | `instanceId`, else Amazon's `instance-id`, else `hostName` |
 * | `identity.service` | `vipAddress` if it is `app` in other letters, else `app` in lower case |
 * | `incarnation` | `lastDirtyTimestamp` |
 * | `addresses` | `hostName` with `securePort`, then with `port`, each if enabled |
 * | `status`, `override` | `status`, `overriddenStatus` (UNKNOWN: none) |
 * | `zone`, `weight` | metadata `zone`; metadata `weight`, a whole number from 2 on |
 * | `lease` | `renewalIntervalInSecs`, `durationInSecs` |
 * | `startedAt` | `serviceUpTimestamp`, unless 0 |
 * | all else | notes in metadata: see `writeNotes` of `@flotilla/core` |
 * | `bags.eureka` | {@link Rest}, as far as it is unusual |
 *
 * Nothing is clamped: bounds on timestamps and lease terms are the registry's affair.
 * @param now epoch milliseconds: stands for timestamps that are absent.
 * @param expectedApp application in the request's path; a document of another one is refused.
 * @throws FlotillaError MALFORMED_REQUEST or INVALID_INPUT naming the field.
 */
export function decodeInstance(document: unknown, now: number, expectedApp?: string): Instance {
  return toInstance(readSaid(document, now, expectedApp));
}

/**
 * The document of an instance, as a Java server would answer it: text for text the one that it was read from.
 * Reading it again gives the same instance, other dialects' bags excepted: a dialect carries its own only.
 */
export function encodeInstance(instance: Instance, listing: EurekaListing = {}): EurekaInstance {
  const { metadataOrder, ...bag } = readBag(instance);
  const document = assemble(
    instance,
    { ...usualRest(instance), ...bag, ...listing },
    writeMetadata(instance, metadataOrder),
  );
  const notes = writeNotes(instance, nativeFacts(document));
  return { ...document, metadata: withNotes(document.metadata, notes) };
}

/** The status that the document of an instance shows: what hash codes count. */
export function listedStatus(instance: Instance): EurekaStatus {
  return statusOf(instance, readFlag(instance, 'overrideDormant'));
}

function statusOf(instance: Instance, overrideDormant: boolean | undefined): EurekaStatus {
  return overrideDormant ? encodeStatus(instance.status) : shownStatus(instance);
}

/** The VIP address that the document of an instance shows. */
export function listedVip(instance: Instance, member: 'vipAddress' | 'secureVipAddress'): string | undefined {
  const { [member]: own = instance.identity.service } = readBag(instance);
  return own ?? undefined;
}

function toInstance(document: SaidInstance): Instance {
  const { metadata } = document;
  const facts = readNotes(nativeFacts(document), Object.entries(metadata));
  const instance: Writable<Instance> = { ...facts, metadata: readOwnMetadata(metadata), bags: noBags };
  const usual = usualRest(instance);
  const bag = writeBag(restOf(document, instance, usual), usual);
  const order = entryOrder(instance, metadata);
  if (order !== undefined) bag['metadataOrder'] = order;
  if (Object.keys(bag).length > 0) instance.bags = { [bagName]: bag };
  return instance;
}

const noBags: Instance['bags'] = Object.freeze({});

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the document says without notes. */
function nativeFacts(document: EurekaInstance | SaidInstance): InstanceFacts {
  const { leaseInfo, metadata } = document;
  const { status, override } = readStatuses(document);
  const { weight, zone } = readMetadataFacts(metadata);
  const facts: Writable<InstanceFacts> = {
    id: checkId(effectiveId(document)),
    identity: identity(serviceOf(document)),
    incarnation: Number(document.lastDirtyTimestamp),
    addresses: openAddresses(document),
    contracts: [],
    status,
    weight,
    lease: { renewEveryMs: leaseInfo.renewalIntervalInSecs * 1_000, lastsMs: leaseInfo.durationInSecs * 1_000 },
    revision: 0,
  };
  // Not spread in: that would take longer than all of the rest, for every registration.
  if (override !== undefined) facts.override = override;
  if (zone !== undefined) facts.zone = zone;
  if (leaseInfo.serviceUpTimestamp !== 0) facts.startedAt = leaseInfo.serviceUpTimestamp;
  return facts;
}

/** Spring's callers look up the VIP address, which keeps the case that `app` loses; it lists services in lower case. */
function serviceOf({ app, vipAddress = '' }: EurekaInstance | SaidInstance): string {
  return /^[\w.:-]+$/.test(vipAddress) && vipAddress.toUpperCase() === app ? vipAddress : app.toLowerCase();
}

/** Spring's clients prefer the secure one when it is enabled. */
function openAddresses({ hostName: host, port, securePort }: Place): InstanceFacts['addresses'] {
  const open: Address[] = [];
  if (securePort['@enabled'] === 'true') open.push({ protocol: 'https', host, port: securePort.$ });
  if (port['@enabled'] === 'true') open.push({ protocol: 'http', host, port: port.$ });
  return open;
}

function assemble(instance: Instance, rest: Rest, metadata: EurekaInstance['metadata']): EurekaInstance {
  const { http, https, hostName } = webPlaceOf(instance);
  const dataCenterInfo = withClass(rest.dataCenterInfo, instance.id);
  const place = {
    hostName: instance.addresses.length === 0 ? rest.hostName : hostName,
    port: { $: http?.port ?? rest.port, '@enabled': http ? 'true' : 'false' },
    securePort: { $: https?.port ?? rest.securePort, '@enabled': https ? 'true' : 'false' },
  } as const;
  const page = (template: string | null): string | undefined =>
    template === null ? undefined : fromPageTemplate(template, place);
  const needsId = rest.ownId || instance.id !== effectiveId({ hostName: place.hostName, dataCenterInfo });
  const { override } = instance;
  return withoutAbsent<EurekaInstance>({
    instanceId: needsId ? instance.id : undefined,
    hostName: place.hostName,
    app: instance.identity.service.toUpperCase(),
    ipAddr: rest.ipAddr,
    sid: rest.sid ?? undefined,
    status: statusOf(instance, rest.overrideDormant),
    overriddenStatus: override === undefined ? 'UNKNOWN' : encodeStatus(override),
    port: place.port,
    securePort: place.securePort,
    countryId: rest.countryId,
    dataCenterInfo,
    leaseInfo: leaseInfoOf(instance, rest),
    metadata,
    appGroupName: rest.appGroupName ?? undefined,
    homePageUrl: page(rest.homePageUrl),
    statusPageUrl: page(rest.statusPageUrl),
    healthCheckUrl: page(rest.healthCheckUrl),
    secureHealthCheckUrl: page(rest.secureHealthCheckUrl),
    vipAddress: rest.vipAddress ?? undefined,
    secureVipAddress: rest.secureVipAddress ?? undefined,
    isCoordinatingDiscoveryServer: rest.isCoordinatingDiscoveryServer ? 'true' : 'false',
    lastUpdatedTimestamp: String(rest.lastUpdatedTimestamp),
    lastDirtyTimestamp: String(instance.incarnation),
    actionType: rest.actionType ?? undefined,
    asgName: rest.asgName ?? undefined,
  });
}

/** Terms are rounded up to whole seconds: an instance is never thought gone too early. */
function leaseInfoOf({ lease = leaseDefaults, startedAt = 0 }: Instance, rest: Rest): EurekaInstance['leaseInfo'] {
  return {
    renewalIntervalInSecs: Math.ceil(lease.renewEveryMs / 1_000),
    durationInSecs: Math.ceil(lease.lastsMs / 1_000),
    registrationTimestamp: rest.registrationTimestamp,
    lastRenewalTimestamp: rest.lastRenewalTimestamp,
    evictionTimestamp: rest.evictionTimestamp,
    serviceUpTimestamp: startedAt,
  };
}
