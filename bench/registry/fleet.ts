/** The instances that the rows of the registry register: those of Spring services, as their client sends them. */
export interface FleetInstance {
  readonly app: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
}

const instancesPerApp = 20;

export function instanceAt(index: number): FleetInstance {
  const app = `SERVICE-${Math.floor(index / instancesPerApp)}`;
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  const port = 8_000 + (index % 1_000);
  return { app, id: `${address}:${app.toLowerCase()}:${port}`, address, port };
}

/** What Spring Cloud's client sends at start, nulls included. */
export function registrationOf(index: number, dirty: number): string {
  return documentOf(instanceAt(index), dirty, 90);
}

/** One that crashes at once, the only one of its application: it is evicted after 15 s. */
export function leaverOf(index: number, dirty: number): { readonly app: string; readonly body: string } {
  const app = `LEAVER-${index}`;
  return { app, body: documentOf({ ...instanceAt(index), app }, dirty, 15) };
}

function documentOf({ app, id, address, port }: FleetInstance, dirty: number, durationInSecs: number): string {
  const name = app.toLowerCase();
  const base = `http://${address}:${port}`;
  return JSON.stringify({
    instance: {
      instanceId: id,
      app,
      appGroupName: null,
      ipAddr: address,
      sid: 'na',
      homePageUrl: `${base}/`,
      statusPageUrl: `${base}/actuator/info`,
      healthCheckUrl: `${base}/actuator/health`,
      secureHealthCheckUrl: null,
      vipAddress: name,
      secureVipAddress: name,
      countryId: 1,
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      hostName: address,
      status: 'UP',
      overriddenStatus: 'UNKNOWN',
      leaseInfo: {
        renewalIntervalInSecs: durationInSecs / 3,
        durationInSecs,
        registrationTimestamp: 0,
        lastRenewalTimestamp: 0,
        evictionTimestamp: 0,
        serviceUpTimestamp: 0,
      },
      isCoordinatingDiscoveryServer: false,
      lastUpdatedTimestamp: dirty - 600,
      lastDirtyTimestamp: dirty,
      actionType: null,
      asgName: null,
      port: { $: port, '@enabled': 'true' },
      securePort: { $: 443, '@enabled': 'false' },
      metadata: { 'management.port': String(port) },
    },
  });
}
