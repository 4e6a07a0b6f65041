import type { Address, Instance } from '@flotilla/core';
import {
  amazonDataCenterClass,
  type EurekaAction,
  type EurekaDataCenter,
  type EurekaInstance,
  plainDataCenterClass,
} from './document.ts';
import { toPageTemplate } from './page-url.ts';
import type { SaidInstance } from './read-document.ts';
import { SharedValues } from './shared-values.ts';
import { encodeStatus, shownStatus } from './status.ts';

/** A data center without the class, which follows from the name. Null as Amazon's `instance-id`: the instance's id. */
export type DataCenterName =
  | { readonly name: 'Netflix' | 'MyOwn' }
  | { readonly name: 'Amazon'; readonly metadata: Readonly<Record<string, string | null>> };

/** What a document says and no neutral field carries. Null: the document has no such member. */
export interface Rest {
  /** False: the document has no `instanceId`, and the id is the host name's or Amazon's. */
  readonly ownId: boolean;
  /** True: an override is recorded and does not count any more (a Java server forgets it an hour after its last use). */
  readonly overrideDormant: boolean;
  /** Of an instance without an open port. */
  readonly hostName: string;
  readonly ipAddr: string;
  readonly sid: string | null;
  /** The number of the closed plain port. */
  readonly port: number;
  /** The number of the closed secure port. */
  readonly securePort: number;
  readonly countryId: number;
  readonly dataCenterInfo: DataCenterName;
  readonly appGroupName: string | null;
  readonly homePageUrl: string | null;
  readonly statusPageUrl: string | null;
  readonly healthCheckUrl: string | null;
  readonly secureHealthCheckUrl: string | null;
  readonly vipAddress: string | null;
  readonly secureVipAddress: string | null;
  readonly isCoordinatingDiscoveryServer: boolean;
  readonly lastUpdatedTimestamp: number;
  readonly actionType: EurekaAction | null;
  readonly asgName: string | null;
  readonly registrationTimestamp: number;
  readonly lastRenewalTimestamp: number;
  readonly evictionTimestamp: number;
}

/** One object each, so that two documents with the same one are soon seen to agree. */
const plainCenters = Object.freeze({
  Netflix: Object.freeze({ name: 'Netflix' }),
  MyOwn: Object.freeze({ name: 'MyOwn' }),
});

/** Of an instance that says nowhere where it is: never resolves (RFC 2606 §2). */
export const noHost = 'no-address.invalid';

/** What the rest usually is: with it, a document needs no bag. */
export function usualRest(instance: Instance): Rest {
  const { hostName } = webPlaceOf(instance);
  return {
    ownId: true,
    overrideDormant: false,
    hostName,
    ipAddr: hostName,
    sid: null,
    port: 80, // a closed port's number is what Spring's clients register
    securePort: 443,
    countryId: 1,
    dataCenterInfo: plainCenters.MyOwn,
    appGroupName: null,
    homePageUrl: null,
    statusPageUrl: null,
    healthCheckUrl: null,
    secureHealthCheckUrl: null,
    vipAddress: instance.identity.service,
    secureVipAddress: instance.identity.service,
    isCoordinatingDiscoveryServer: false,
    lastUpdatedTimestamp: instance.incarnation,
    actionType: null,
    asgName: null,
    registrationTimestamp: 0,
    lastRenewalTimestamp: 0,
    evictionTimestamp: 0,
  };
}

/** The rest of a document that was read as `instance`. @param usual that of `instance`, for who has it. */
export function restOf(
  document: EurekaInstance | SaidInstance,
  instance: Instance,
  usual: Rest = usualRest(instance),
): Rest {
  const closed = { http: document.port['@enabled'] === 'false', https: document.securePort['@enabled'] === 'false' };
  const own = document.status === encodeStatus(instance.status);
  const page = (url: string | undefined): string | null => {
    return url === undefined ? null : templates.of(toPageTemplate(url, document), (template) => template);
  };
  return {
    ownId: document.instanceId !== undefined,
    overrideDormant: own && document.status !== shownStatus(instance),
    hostName: closed.http && closed.https ? document.hostName : usual.hostName,
    ipAddr: document.ipAddr,
    sid: document.sid ?? null,
    port: closed.http ? document.port.$ : usual.port,
    securePort: closed.https ? document.securePort.$ : usual.securePort,
    countryId: document.countryId,
    dataCenterInfo: withoutClass(document.dataCenterInfo, instance.id),
    appGroupName: document.appGroupName ?? null,
    homePageUrl: page(document.homePageUrl),
    statusPageUrl: page(document.statusPageUrl),
    healthCheckUrl: page(document.healthCheckUrl),
    secureHealthCheckUrl: page(document.secureHealthCheckUrl),
    vipAddress: document.vipAddress ?? null,
    secureVipAddress: document.secureVipAddress ?? null,
    isCoordinatingDiscoveryServer: document.isCoordinatingDiscoveryServer === 'true',
    lastUpdatedTimestamp: Number(document.lastUpdatedTimestamp),
    actionType: document.actionType ?? null,
    asgName: document.asgName ?? null,
    registrationTimestamp: document.leaseInfo.registrationTimestamp,
    lastRenewalTimestamp: document.leaseInfo.lastRenewalTimestamp,
    evictionTimestamp: document.leaseInfo.evictionTimestamp,
  };
}

/** The one host and the two ports that a document has room for: those of the address that the owner prefers. */
export function webPlaceOf({ addresses }: Pick<Instance, 'addresses'>): {
  readonly hostName: string;
  readonly http: Address | undefined;
  readonly https: Address | undefined;
} {
  const preferred = addresses.find(({ protocol }) => protocol === 'http' || protocol === 'https') ?? addresses[0];
  const hostName = preferred?.host ?? noHost;
  const at = (wanted: string): Address | undefined =>
    addresses.find(({ protocol, host }) => protocol === wanted && host === hostName);
  return { hostName, http: at('http'), https: at('https') };
}

/** A data center as the document names it. */
export function withClass(dataCenter: DataCenterName, id: string): EurekaDataCenter {
  if (dataCenter.name !== 'Amazon') return { '@class': plainDataCenterClass, name: dataCenter.name };
  const entries = Object.entries(dataCenter.metadata).map(([name, text]) => [name, text ?? id] as const);
  return { '@class': amazonDataCenterClass, name: 'Amazon', metadata: Object.fromEntries(entries) };
}

function withoutClass({ name, metadata = {} }: EurekaDataCenter, id: string): DataCenterName {
  if (name !== 'Amazon') return plainCenters[name];
  const entries = Object.entries(metadata).map(([key, text]) => [
    key,
    key === 'instance-id' && text === id ? null : text,
  ]);
  return { name, metadata: Object.fromEntries(entries) };
}

/** A fleet has a handful of them; a part of a URL that is kept by itself keeps all of the URL. */
const templates = new SharedValues<string>(256);
