/** `{"$":8080,"@enabled":"true"}`: a number, and a flag as text. */
export interface EurekaPort {
  readonly $: number;
  readonly '@enabled': 'true' | 'false';
}

/** Where the instance runs. Everything that is not Amazon is written with the class of `MyOwn`. */
export interface EurekaDataCenter {
  readonly '@class': string;
  readonly name: 'Netflix' | 'Amazon' | 'MyOwn';
  /** Amazon's own facts; only and always there for `Amazon`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Times in epoch milliseconds, 0 when unknown; terms in whole seconds. */
export interface EurekaLease {
  readonly renewalIntervalInSecs: number;
  readonly durationInSecs: number;
  readonly registrationTimestamp: number;
  readonly lastRenewalTimestamp: number;
  readonly evictionTimestamp: number;
  readonly serviceUpTimestamp: number;
}

export type EurekaStatus = 'UP' | 'DOWN' | 'STARTING' | 'OUT_OF_SERVICE' | 'UNKNOWN';

export const eurekaStatuses: readonly EurekaStatus[] = Object.freeze([
  'UP',
  'DOWN',
  'STARTING',
  'OUT_OF_SERVICE',
  'UNKNOWN',
]);

/** What happened to the instance last, for whoever reads a delta. */
export type EurekaAction = 'ADDED' | 'MODIFIED' | 'DELETED';

export const eurekaActions: readonly EurekaAction[] = Object.freeze(['ADDED', 'MODIFIED', 'DELETED']);

/**
 * The object inside `{"instance": …}` as a Java server writes it (`EurekaJacksonCodec`, full form): members in this
 * order, instants and `isCoordinatingDiscoveryServer` as text, absent members left out.
 */
export interface EurekaInstance {
  readonly instanceId?: string;
  readonly hostName: string;
  /** Upper case. */
  readonly app: string;
  readonly ipAddr: string;
  readonly sid?: string;
  /** The status that counts: an operator's word is already in it. */
  readonly status: EurekaStatus;
  /** UNKNOWN: no operator said anything. */
  readonly overriddenStatus: EurekaStatus;
  readonly port: EurekaPort;
  readonly securePort: EurekaPort;
  readonly countryId: number;
  readonly dataCenterInfo: EurekaDataCenter;
  readonly leaseInfo: EurekaLease;
  /** Empty metadata is `{"@class":"java.util.Collections$EmptyMap"}`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly appGroupName?: string;
  readonly homePageUrl?: string;
  readonly statusPageUrl?: string;
  readonly healthCheckUrl?: string;
  readonly secureHealthCheckUrl?: string;
  readonly vipAddress?: string;
  readonly secureVipAddress?: string;
  readonly isCoordinatingDiscoveryServer: 'true' | 'false';
  readonly lastUpdatedTimestamp: string;
  readonly lastDirtyTimestamp: string;
  readonly actionType?: EurekaAction;
  readonly asgName?: string;
}

export const plainDataCenterClass = 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo';
export const amazonDataCenterClass = 'com.netflix.appinfo.AmazonInfo';

/** What Java writes for metadata without entries. */
export const emptyMetadata: Readonly<Record<string, string>> = Object.freeze({
  '@class': 'java.util.Collections$EmptyMap',
});

/** The id that counts: the instance's own, else Amazon's, else the host name (`InstanceInfo#getId`). */
export function effectiveId(
  document: Pick<EurekaInstance, 'hostName' | 'dataCenterInfo'> & { readonly instanceId?: string | undefined },
): string {
  return document.instanceId || document.dataCenterInfo.metadata?.['instance-id'] || document.hostName;
}
