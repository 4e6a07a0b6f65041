import { FlotillaError, isHost, leaseDefaults } from '@flotilla/core';
import { type ReadDataCenter, readDataCenter } from './data-center.ts';
import {
  type EurekaAction,
  type EurekaDataCenter,
  type EurekaInstance,
  type EurekaLease,
  type EurekaPort,
  type EurekaStatus,
  effectiveId,
  emptyMetadata,
  eurekaActions,
  eurekaStatuses,
} from './document.ts';
import {
  type Fields,
  malformed,
  member,
  objectOf,
  optionalFlag,
  optionalInteger,
  optionalText,
  refuseUnknownNested,
} from './fields.ts';
import { checkPageUrl } from './page-url.ts';

const textLimit = 1_024;
const controlPattern = /\p{Cc}/u;
const int32 = 2_147_483_647;
const none: ReadonlySet<string> = new Set();
const nested: ReadonlySet<string> = new Set(['port', 'securePort', 'dataCenterInfo', 'leaseInfo', 'metadata']);

/**
 * Reads what any Eureka v2 client or server writes in JSON (the typed form of Spring's RestTemplate, RestClient and
 * WebClient, nulls included; the text form of Jersey and of servers; what `eureka-js-client` sends), and gives it the
 * form of {@link EurekaInstance}, as a Java server stores and answers it.
 *
 * Strict where a Java server is (`EurekaJacksonCodec`), and where following it would do harm: metadata as a list,
 * and a plain data center called Amazon, are refused.
 * @param now epoch milliseconds: stands for timestamps that are absent.
 * @param expectedApp application in the request's path; a document of another one is refused.
 * @throws FlotillaError MALFORMED_REQUEST for what no Java server parses, INVALID_INPUT for what one refuses after
 * parsing (its detail is then the same words: "Missing hostname", …) and for what is out of bounds; both name the field.
 */
export function readEurekaInstance(document: unknown, now: number, expectedApp?: string): EurekaInstance {
  return withoutAbsent(readSaid(document, now, expectedApp));
}

/** What {@link readEurekaInstance} reads, with `undefined` for what is absent: for whoever does not keep it. */
export function readSaid(document: unknown, now: number, expectedApp?: string): SaidInstance {
  const fields = objectOf(document, 'instance');
  refuseUnknownNested(fields, '', nested);
  const app = optionalText(fields, 'app')?.toUpperCase();
  if (app === undefined) throw malformed('app', 'text', undefined);
  const parsed = {
    instanceId: optionalText(fields, 'instanceId') || undefined,
    hostName: optionalText(fields, 'hostName'),
    app,
    ipAddr: optionalText(fields, 'ipAddr'),
    sid: readSid(fields),
    status: readStatus(fields, 'status') ?? 'UP',
    overriddenStatus: readStatus(fields, 'overriddenStatus') ?? readStatus(fields, 'overriddenstatus') ?? 'UNKNOWN',
    port: readPort(fields, 'port', { $: 7001, '@enabled': 'true' }),
    securePort: readPort(fields, 'securePort', { $: 7002, '@enabled': 'false' }),
    countryId: optionalInteger(fields, 'countryId', int32) ?? 1,
    dataCenterInfo: readDataCenter(member(fields, 'dataCenterInfo')),
    leaseInfo: readLease(fields),
    metadata: readMetadata(member(fields, 'metadata')),
    appGroupName: optionalText(fields, 'appGroupName')?.toUpperCase(),
    homePageUrl: optionalText(fields, 'homePageUrl'),
    statusPageUrl: optionalText(fields, 'statusPageUrl'),
    healthCheckUrl: optionalText(fields, 'healthCheckUrl'),
    secureHealthCheckUrl: optionalText(fields, 'secureHealthCheckUrl'),
    vipAddress: optionalText(fields, 'vipAddress'),
    secureVipAddress: optionalText(fields, 'secureVipAddress'),
    isCoordinatingDiscoveryServer: flagText(optionalFlag(fields, 'isCoordinatingDiscoveryServer') ?? false),
    lastUpdatedTimestamp: String(readInstant(fields, 'lastUpdatedTimestamp') ?? now),
    lastDirtyTimestamp: String(readInstant(fields, 'lastDirtyTimestamp') ?? now),
    actionType: readAction(fields),
    asgName: optionalText(fields, 'asgName'),
  };
  return withinBounds(complete(parsed, expectedApp));
}

/** The document without members that are `undefined`, so that it is equal to what JSON makes of it. */
export function withoutAbsent<T extends object>(document: { [K in keyof T]: T[K] | undefined }): T {
  const present: Record<string, unknown> = {}; // filled in a loop: a registry does this for every instance it lists
  for (const [name, value] of Object.entries(document)) if (value !== undefined) present[name] = value;
  return present as T;
}

/** A document as {@link readSaid} reads it. */
export type SaidInstance = {
  // An optional member may be there and undefined; a required one may not.
  readonly [K in keyof EurekaInstance]: undefined extends EurekaInstance[K]
    ? EurekaInstance[K] | undefined
    : EurekaInstance[K];
};

type Parsed = {
  readonly [K in Exclude<keyof EurekaInstance, 'dataCenterInfo'>]-?: EurekaInstance[K] | undefined;
} & { readonly app: string; readonly dataCenterInfo: ReadDataCenter | undefined };

/** The checks of `ApplicationResource#addInstance`, in its order and words; `""` counts as missing, blanks pass. */
function complete(parsed: Parsed, expectedApp: string | undefined): SaidInstance {
  const { instanceId, hostName, app, ipAddr, dataCenterInfo } = parsed;
  const amazonId = dataCenterInfo?.metadata?.['instance-id'];
  if (!instanceId && !amazonId && !hostName) throw invalid('Missing instanceId');
  if (!hostName) throw invalid('Missing hostname');
  if (!ipAddr) throw invalid('Missing ip address');
  if (!app) throw invalid('Missing appName');
  if (expectedApp !== undefined && expectedApp.toUpperCase() !== app) {
    throw invalid(`Mismatched appName, expecting ${expectedApp.toUpperCase()} but was ${app}`);
  }
  if (!dataCenterInfo) throw invalid('Missing dataCenterInfo');
  if (!dataCenterInfo.name) throw invalid('Missing dataCenterInfo Name');
  const whole = parsed as SaidInstance;
  if (!dataCenterInfo.metadata || amazonId) return whole;
  return { ...whole, dataCenterInfo: withAmazonId(whole) };
}

/** Amazon's facts name the instance; where its owner left that out, the id it goes by stands in. */
function withAmazonId(document: SaidInstance): EurekaDataCenter {
  const { dataCenterInfo } = document;
  return { ...dataCenterInfo, metadata: { ...dataCenterInfo.metadata, 'instance-id': effectiveId(document) } };
}

/** Our own bounds, so that one registration cannot harm those who read it. */
function withinBounds(document: SaidInstance): SaidInstance {
  const { hostName, ipAddr, vipAddress, secureVipAddress } = document;
  if (!isHost(hostName)) throw invalid(`hostName "${hostName.slice(0, 80)}" is not a host`);
  if (ipAddr !== hostName && !isHost(ipAddr)) throw invalid(`ipAddr "${ipAddr.slice(0, 80)}" is not an address`);
  checkPageUrl('homePageUrl', document.homePageUrl);
  checkPageUrl('statusPageUrl', document.statusPageUrl);
  checkPageUrl('healthCheckUrl', document.healthCheckUrl);
  checkPageUrl('secureHealthCheckUrl', document.secureHealthCheckUrl);
  checkText('sid', document.sid);
  checkText('appGroupName', document.appGroupName);
  checkText('vipAddress', vipAddress);
  if (secureVipAddress !== vipAddress) checkText('secureVipAddress', secureVipAddress);
  checkText('asgName', document.asgName);
  checkText('instanceId', effectiveId(document));
  return document;
}

function checkText(field: string, text: string | undefined): void {
  if (text !== undefined && (text.length > textLimit || controlPattern.test(text))) {
    throw invalid(`${field} must be up to ${textLimit} printable characters`);
  }
}

function readSid(fields: Fields): string | undefined {
  const sid = optionalText(fields, 'sid');
  return sid === 'na' || sid === 'unknown' ? undefined : sid;
}

/** Any text or number that is not exactly a status counts as UNKNOWN; null and absent are the caller's affair. */
function readStatus(fields: Fields, name: string): EurekaStatus | undefined {
  const text = optionalText(fields, name);
  return text === undefined ? undefined : (eurekaStatuses.find((status) => status === text) ?? 'UNKNOWN');
}

function readAction(fields: Fields): EurekaAction | undefined {
  const text = optionalText(fields, 'actionType');
  return eurekaActions.find((action) => action === text);
}

function readPort(fields: Fields, field: string, fallback: EurekaPort): EurekaPort {
  const value = member(fields, field);
  if (value === undefined || value === null) return fallback;
  const members = objectOf(value, field);
  const extra = Object.keys(members).find((name) => name !== '$' && name !== '@enabled');
  if (extra !== undefined) throw malformed(`${field}.${extra.slice(0, 80)}`, 'absent', members[extra]);
  const port = optionalInteger(members, '$', int32) ?? fallback.$;
  if (port < 0 || port > 65_535) throw invalid(`${field} must be from 0 to 65535, got ${port}`);
  const enabled = optionalFlag(members, '@enabled');
  return { $: port, '@enabled': enabled === undefined ? fallback['@enabled'] : flagText(enabled) };
}

/** Terms of 0 and below count as the customary ones (`LeaseInfo.Builder`). */
function readLease(fields: Fields): EurekaLease {
  const value = member(fields, 'leaseInfo');
  const lease = value === undefined || value === null ? {} : objectOf(value, 'leaseInfo');
  refuseUnknownNested(lease, 'leaseInfo.', none);
  const renewal = optionalInteger(lease, 'renewalIntervalInSecs', int32) ?? 0;
  const duration = optionalInteger(lease, 'durationInSecs', int32) ?? 0;
  return {
    renewalIntervalInSecs: renewal > 0 ? renewal : leaseDefaults.renewEveryMs / 1_000,
    durationInSecs: duration > 0 ? duration : leaseDefaults.lastsMs / 1_000,
    registrationTimestamp: readInstant(lease, 'registrationTimestamp') ?? 0,
    lastRenewalTimestamp: readInstant(lease, 'lastRenewalTimestamp') ?? 0,
    evictionTimestamp: readInstant(lease, 'evictionTimestamp') ?? 0,
    serviceUpTimestamp: readInstant(lease, 'serviceUpTimestamp') ?? 0,
  };
}

function readInstant(fields: Fields, field: string): number | undefined {
  const instant = optionalInteger(fields, field, Number.MAX_SAFE_INTEGER);
  if (instant !== undefined && instant < 0) throw invalid(`${field} must be epoch milliseconds, got ${instant}`);
  return instant;
}

/**
 * Text to text; scalars count as their text, even null (`EurekaJacksonCodec`). `@class` is Java's and passed over.
 * A list would send a Java server's thread into an endless loop.
 */
function readMetadata(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return emptyMetadata;
  const entries = objectOf(value, 'metadata');
  const names = Object.keys(entries);
  let asTheyAre = names.length > 0;
  for (const name of names) {
    const item = entries[name];
    if (typeof item !== 'string' || name === '@class') asTheyAre = false;
    if (name === '@class') continue;
    if (typeof item === 'object' && item !== null) throw malformed(`metadata.${name.slice(0, 80)}`, 'a scalar', item);
    if (name === '') throw invalid('metadata has an entry without a name');
  }
  if (asTheyAre) return entries as Readonly<Record<string, string>>;
  const own = names.filter((name) => name !== '@class');
  return own.length === 0 ? emptyMetadata : Object.fromEntries(own.map((name) => [name, String(entries[name])]));
}

function flagText(flag: boolean): 'true' | 'false' {
  return flag ? 'true' : 'false';
}

function invalid(detail: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', detail);
}
