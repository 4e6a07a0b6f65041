/** The lastDirtyTimestamp of documents that say nothing else. */
export const dirty = 1_700_000_000_000;

/** Members of an instance's document, of any kind. */
export type Members = Readonly<Record<string, unknown>>;

export const plainClass = 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo';

/** An instance as a Jersey client writes it. Members that are undefined are left out. */
export function instance(app: string, changes: Members = {}): Members {
  return {
    instanceId: 'one',
    hostName: 'h1',
    app,
    ipAddr: '10.0.0.1',
    status: 'UP',
    overriddenStatus: 'UNKNOWN',
    port: { $: 8_080, '@enabled': 'true' },
    securePort: { $: 443, '@enabled': 'false' },
    countryId: 1,
    dataCenterInfo: { '@class': plainClass, name: 'MyOwn' },
    leaseInfo: {
      renewalIntervalInSecs: 30,
      durationInSecs: 90,
      registrationTimestamp: 0,
      lastRenewalTimestamp: 0,
      evictionTimestamp: 0,
      serviceUpTimestamp: 0,
    },
    metadata: { 'management.port': '8080' },
    homePageUrl: 'http://h1:8080/',
    statusPageUrl: 'http://h1:8080/actuator/info',
    healthCheckUrl: 'http://h1:8080/actuator/health',
    vipAddress: app.toLowerCase(),
    secureVipAddress: app.toLowerCase(),
    isCoordinatingDiscoveryServer: 'false',
    lastUpdatedTimestamp: String(dirty),
    lastDirtyTimestamp: String(dirty),
    ...changes,
  };
}

/** The same in XML, as XStream writes it; a member that is undefined is left out, one with `<` is written as it is. */
export function instanceXml(app: string, changes: Readonly<Record<string, string | undefined>> = {}): string {
  const members: Readonly<Record<string, string | undefined>> = {
    instanceId: 'one',
    hostName: 'h1',
    app,
    ipAddr: '10.0.0.1',
    status: 'UP',
    overriddenstatus: 'UNKNOWN',
    port: '<port enabled="true">8080</port>',
    securePort: '<securePort enabled="false">443</securePort>',
    countryId: '1',
    dataCenterInfo: `<dataCenterInfo class="${plainClass}"><name>MyOwn</name></dataCenterInfo>`,
    leaseInfo:
      '<leaseInfo><renewalIntervalInSecs>30</renewalIntervalInSecs><durationInSecs>90</durationInSecs></leaseInfo>',
    metadata: '<metadata><zone>a</zone></metadata>',
    homePageUrl: 'http://h1:8080/',
    vipAddress: app.toLowerCase(),
    secureVipAddress: app.toLowerCase(),
    lastUpdatedTimestamp: String(dirty),
    lastDirtyTimestamp: String(dirty),
    ...changes,
  };
  const written = Object.entries(members).map(([name, value]) => {
    if (value === undefined) return '';
    return value.startsWith('<') ? value : `<${name}>${value}</${name}>`;
  });
  return `<instance>${written.join('')}</instance>`;
}
