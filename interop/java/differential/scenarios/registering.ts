import { gzipSync } from 'node:zlib';
import type { Ask } from '../ask.ts';
import { instance, instanceXml, type Members, plainClass } from './documents.ts';
import { get, json, post, put, register, registerXml, remove, type Sketch, sketch, xml } from './requests.ts';

/** What is seen of a registration. */
const seen = (app: string): Ask[] => [
  get(`apps/${app}/one`),
  get(`apps/${app}/one`, xml),
  get(`apps/${app}`, { ...json, 'x-eureka-accept': 'compact' }),
];

const port = (members: unknown): Members => ({ port: members });
const lease = (members: Members): Members => ({ leaseInfo: members });
const data = (members: unknown): Members => ({ dataCenterInfo: members });
const facts = (members: unknown): Members => ({ metadata: members });
const amazon = 'com.netflix.appinfo.AmazonInfo';
const absent = undefined;

/** Members of an instance in JSON: each row changes a good document. */
const changes: Readonly<Record<string, Members>> = {
  'as it is': {},
  'no instanceId': { instanceId: absent },
  'instanceId null': { instanceId: null },
  'instanceId a number': { instanceId: 7 },
  'instanceId an object': { instanceId: {} },
  'neither instanceId nor hostName': { instanceId: absent, hostName: absent },
  'no hostName': { hostName: absent },
  'hostName empty': { hostName: '' },
  'hostName blank': { hostName: ' ' },
  'hostName with an underscore': { hostName: 'my_host' },
  'hostName an IPv6 address': { hostName: '2001:db8::1' },
  'hostName a number': { hostName: 5 },
  'no ipAddr': { ipAddr: absent },
  'ipAddr empty': { ipAddr: '' },
  'ipAddr not an address': { ipAddr: 'no-address' },
  'no app': { app: absent },
  'app null': { app: null },
  'app empty': { app: '' },
  'app another': { app: 'OTHER' },
  'app a number': { app: 5 },
  'no status': { status: absent },
  'status null': { status: null },
  'status unknown word': { status: 'BUSY' },
  'status in lower case': { status: 'up' },
  'status a number': { status: 1 },
  'status DOWN': { status: 'DOWN' },
  'status STARTING': { status: 'STARTING' },
  'status OUT_OF_SERVICE': { status: 'OUT_OF_SERVICE' },
  'status UNKNOWN': { status: 'UNKNOWN' },
  'no overriddenStatus': { overriddenStatus: absent },
  'overriddenStatus OUT_OF_SERVICE': { overriddenStatus: 'OUT_OF_SERVICE' },
  'overriddenstatus in lower case': { overriddenStatus: absent, overriddenstatus: 'OUT_OF_SERVICE' },
  'overriddenStatus unknown word': { overriddenStatus: 'BUSY' },
  'overriddenStatus null': { overriddenStatus: null },
  'no port': port(absent),
  'port null': port(null),
  'port a number': port(8_080),
  'port text': port('8080'),
  'port an array': port([8_080]),
  'port {}': port({}),
  'port without @enabled': port({ $: 8_080 }),
  'port without $': port({ '@enabled': 'true' }),
  'port $ as text': port({ $: '8080', '@enabled': 'true' }),
  'port $ as words': port({ $: 'http', '@enabled': 'true' }),
  'port $ with a fraction': port({ $: 8_080.7, '@enabled': 'true' }),
  'port $ 0': port({ $: 0, '@enabled': 'true' }),
  'port $ negative': port({ $: -1, '@enabled': 'true' }),
  'port $ 65536': port({ $: 65_536, '@enabled': 'true' }),
  'port $ beyond 32 bits': port({ $: 4_294_967_296, '@enabled': 'true' }),
  'port @enabled a boolean': port({ $: 8_080, '@enabled': true }),
  'port @enabled TRUE': port({ $: 8_080, '@enabled': 'TRUE' }),
  'port @enabled a number': port({ $: 8_080, '@enabled': 1 }),
  'port closed': port({ $: 8_080, '@enabled': 'false' }),
  'port with another key': port({ $: 8_080, '@enabled': 'true', name: 'http' }),
  'securePort open': { securePort: { $: 8_443, '@enabled': 'true' } },
  'securePort alone open': { ...port({ $: 80, '@enabled': 'false' }), securePort: { $: 8_443, '@enabled': 'true' } },
  'no securePort': { securePort: absent },
  'no countryId': { countryId: absent },
  'countryId text': { countryId: '49' },
  'countryId words': { countryId: 'DE' },
  'countryId with a fraction': { countryId: 1.5 },
  'countryId an object': { countryId: {} },
  'no dataCenterInfo': data(absent),
  'dataCenterInfo null': data(null),
  'dataCenterInfo {}': data({}),
  'dataCenterInfo text': data('MyOwn'),
  'dataCenterInfo without class': data({ name: 'MyOwn' }),
  'dataCenterInfo without name': data({ '@class': plainClass }),
  'dataCenterInfo of the short class': data({ '@class': 'com.netflix.appinfo.MyDataCenterInfo', name: 'MyOwn' }),
  'dataCenterInfo named Netflix': data({ '@class': plainClass, name: 'Netflix' }),
  'dataCenterInfo of an unknown class': data({ '@class': 'java.util.HashMap', name: 'MyOwn' }),
  'dataCenterInfo of an unknown name': data({ '@class': plainClass, name: 'Home' }),
  'dataCenterInfo with more': data({ '@class': plainClass, name: 'MyOwn', rack: '7' }),
  'dataCenterInfo with its name first': data({ name: 'MyOwn', '@class': plainClass }),
  'Amazon without metadata': data({ '@class': amazon, name: 'Amazon' }),
  'Amazon with no facts': data({ '@class': amazon, name: 'Amazon', metadata: {} }),
  'Amazon with an id of its own': data({
    '@class': amazon,
    name: 'Amazon',
    metadata: { 'instance-id': 'i-1', 'availability-zone': 'us-east-1a', 'public-ipv4': '10.1.1.1', mac: '00:11' },
  }),
  'Amazon by its id alone': {
    instanceId: absent,
    ...data({ '@class': amazon, name: 'Amazon', metadata: { 'instance-id': 'one', 'local-ipv4': '10.2.2.2' } }),
  },
  'no leaseInfo': { leaseInfo: absent },
  'leaseInfo null': { leaseInfo: null },
  'leaseInfo {}': lease({}),
  'leaseInfo text': { leaseInfo: 'soon' },
  'lease of its own length': lease({ renewalIntervalInSecs: 10, durationInSecs: 35 }),
  'lease 0': lease({ renewalIntervalInSecs: 0, durationInSecs: 0 }),
  'lease negative': lease({ renewalIntervalInSecs: -5, durationInSecs: -5 }),
  'lease as text': lease({ renewalIntervalInSecs: '10', durationInSecs: '35' }),
  'lease of a day': lease({ renewalIntervalInSecs: 30, durationInSecs: 86_400 }),
  'lease with times': lease({
    renewalIntervalInSecs: 30,
    durationInSecs: 90,
    registrationTimestamp: 1_600_000_000_000,
    lastRenewalTimestamp: 1_600_000_000_001,
    evictionTimestamp: 1_600_000_000_002,
    serviceUpTimestamp: 1_600_000_000_003,
  }),
  'lease with an unknown scalar': lease({ durationInSecs: 90, colour: 'red' }),
  'lease with an unknown object': lease({ durationInSecs: 90, colour: {} }),
  'no metadata': facts(absent),
  'metadata null': facts(null),
  'metadata {}': facts({}),
  'metadata the empty map of Java': facts({ '@class': 'java.util.Collections$EmptyMap' }),
  'metadata with a class': facts({ '@class': 'java.util.HashMap', a: 'b' }),
  'metadata a number': facts({ weight: 1.5 }),
  'metadata a number with zeros': { metadata: { weight: 2 } },
  'metadata a boolean': facts({ canary: true }),
  'metadata null inside': facts({ nothing: null }),
  'metadata empty text': facts({ nothing: '' }),
  'metadata an object inside': facts({ a: { b: 'c' } }),
  'metadata an array inside': facts({ a: ['b'] }),
  'metadata with odd keys': facts({ 'a_b$c.d e': 'é <&>"\'', ü: '日本語', '1st': 'digit', 'a/b': 'slash' }),
  'metadata text': facts('none'),
  'sid given': { sid: 's-7' },
  'sid na': { sid: 'na' },
  'sid unknown': { sid: 'unknown' },
  'appGroupName in lower case': { appGroupName: 'backend' },
  'asgName given': { asgName: 'asg-1' },
  'no vipAddress': { vipAddress: absent, secureVipAddress: absent },
  'vipAddress empty': { vipAddress: '' },
  'vipAddress a list': { vipAddress: 'a, b,c' },
  'vipAddress in both cases': { vipAddress: 'MixedCase' },
  'secureHealthCheckUrl given': { secureHealthCheckUrl: 'https://h1:8443/health' },
  'no pages': { homePageUrl: absent, statusPageUrl: absent, healthCheckUrl: absent },
  'homePageUrl of another host': { homePageUrl: 'http://elsewhere/' },
  'homePageUrl not a URL': { homePageUrl: 'home' },
  'homePageUrl empty': { homePageUrl: '' },
  'isCoordinatingDiscoveryServer true': { isCoordinatingDiscoveryServer: 'true' },
  'isCoordinatingDiscoveryServer a boolean': { isCoordinatingDiscoveryServer: true },
  'actionType DELETED': { actionType: 'DELETED' },
  'actionType unknown': { actionType: 'CHANGED' },
  'no lastDirtyTimestamp': { lastDirtyTimestamp: absent },
  'lastDirtyTimestamp a number': { lastDirtyTimestamp: 1_700_000_000_001 },
  'lastDirtyTimestamp 0': { lastDirtyTimestamp: '0' },
  'lastDirtyTimestamp negative': { lastDirtyTimestamp: -1 },
  'lastDirtyTimestamp words': { lastDirtyTimestamp: 'yesterday' },
  'lastDirtyTimestamp with a fraction': { lastDirtyTimestamp: 1_700_000_000_000.5 },
  'lastDirtyTimestamp null': { lastDirtyTimestamp: null },
  'lastDirtyTimestamp in the year 3000': { lastDirtyTimestamp: 32_503_680_000_000 },
  'lastUpdatedTimestamp of its own': { lastUpdatedTimestamp: '1600000000000' },
  'an unknown scalar': { colour: 'red' },
  'an unknown null': { colour: null },
  'an unknown array': { colour: [] },
};

/**
 * Bodies in JSON that are no good documents, or odd ones. Two are not sent, since a thread of a Java server would spin for
 * ever: `"metadata":[]` and `{"instance":[]}`.
 */
const bodies: Readonly<Record<string, (app: string) => string | Uint8Array>> = {
  empty: () => '',
  '{}': () => '{}',
  null: () => 'null',
  '[]': () => '[]',
  text: () => '"instance"',
  'a number': () => '5',
  'cut short': (app) => JSON.stringify({ instance: instance(app) }).slice(0, -20),
  'instance null': () => '{"instance":null}',
  'instance {}': () => '{"instance":{}}',
  'instance text': () => '{"instance":"one"}',
  'no root': (app) => JSON.stringify(instance(app)),
  'another root': (app) => JSON.stringify({ application: instance(app) }),
  'two roots': (app) => JSON.stringify({ instance: instance(app), more: {} }),
  'text after the end': (app) => `${JSON.stringify({ instance: instance(app) })} and more`,
  'a second document': (app) => JSON.stringify({ instance: instance(app) }).repeat(2),
  'a byte order mark': (app) => `\ufeff${JSON.stringify({ instance: instance(app) })}`,
  'UTF-16': (app) => Buffer.from(`\ufeff${JSON.stringify({ instance: instance(app) })}`, 'utf16le'),
  'broken UTF-8': (app) => Buffer.from(JSON.stringify({ instance: instance(app, { sid: '\u00ff' }) }), 'latin1'),
  'a key twice': (app) =>
    JSON.stringify({ instance: instance(app) }).replace('"hostName"', '"hostName":"h0","hostName"'),
  'a comment': (app) => JSON.stringify({ instance: instance(app) }).replace('{', '{/* hello */'),
  NaN: (app) => JSON.stringify({ instance: instance(app) }).replace('"countryId":1', '"countryId":NaN'),
  'a comma too many': (app) => JSON.stringify({ instance: instance(app) }).replace('}}', '},}'),
  'quotes of one stroke': () => "{'instance':{}}",
  'control characters': (app) => JSON.stringify({ instance: instance(app, { sid: 'a\tb\u0001c' }) }),
  'raw control characters': (app) => JSON.stringify({ instance: instance(app) }).replace('"h1"', '"h\u0001"'),
  'white space around': (app) => `\n\t ${JSON.stringify({ instance: instance(app) }, undefined, 2)}\r\n`,
  'gzip unasked': (app) => gzipSync(JSON.stringify({ instance: instance(app) })),
  'lease first, app last': (app) => {
    const { app: _, ...members } = instance(app);
    return JSON.stringify({ instance: { ...members, app } });
  },
};

/** The type that a body of JSON says it is. */
const types = [
  'application/json',
  'application/json;charset=UTF-8',
  'application/json;charset=iso-8859-1',
  'APPLICATION/JSON',
  'text/json',
  'application/vnd.api+json',
  'application/xml',
  'text/xml',
  'text/plain',
  'application/x-www-form-urlencoded',
  '*/*',
  'nonsense',
];

/** Members of an instance in XML. */
const xmlChanges: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  'as it is': {},
  'no instanceId': { instanceId: absent },
  'no hostName': { hostName: absent },
  'no ipAddr': { ipAddr: absent },
  'no app': { app: absent },
  'app another': { app: 'OTHER' },
  'no status': { status: absent },
  'status unknown word': { status: 'BUSY' },
  'status DOWN': { status: 'DOWN' },
  'overriddenStatus in camel case': { overriddenstatus: absent, overriddenStatus: 'OUT_OF_SERVICE' },
  'overriddenstatus OUT_OF_SERVICE': { overriddenstatus: 'OUT_OF_SERVICE' },
  'no port': { port: absent },
  'port without enabled': { port: '<port>8080</port>' },
  'port empty': { port: '<port enabled="true"></port>' },
  'port words': { port: '<port enabled="true">http</port>' },
  'port closed': { port: '<port enabled="false">8080</port>' },
  'port enabled TRUE': { port: '<port enabled="TRUE">8080</port>' },
  'port with another attribute': { port: '<port enabled="true" name="http">8080</port>' },
  'securePort without enabled': { securePort: '<securePort>8443</securePort>' },
  'securePort open': { securePort: '<securePort enabled="true">8443</securePort>' },
  'no dataCenterInfo': { dataCenterInfo: absent },
  'dataCenterInfo without class': { dataCenterInfo: '<dataCenterInfo><name>MyOwn</name></dataCenterInfo>' },
  'dataCenterInfo empty': { dataCenterInfo: `<dataCenterInfo class="${plainClass}"/>` },
  'dataCenterInfo of an unknown class': {
    dataCenterInfo: '<dataCenterInfo class="java.util.HashMap"><name>MyOwn</name></dataCenterInfo>',
  },
  'dataCenterInfo of an unknown name': {
    dataCenterInfo: `<dataCenterInfo class="${plainClass}"><name>Home</name></dataCenterInfo>`,
  },
  'Amazon with facts': {
    dataCenterInfo: `<dataCenterInfo class="${amazon}"><name>Amazon</name><metadata><instance-id>i-1</instance-id><mac>00:11</mac></metadata></dataCenterInfo>`,
  },
  'no leaseInfo': { leaseInfo: absent },
  'leaseInfo empty': { leaseInfo: '<leaseInfo/>' },
  'lease words': { leaseInfo: '<leaseInfo><durationInSecs>long</durationInSecs></leaseInfo>' },
  'lease with an unknown element': { leaseInfo: '<leaseInfo><durationInSecs>90</durationInSecs><a>b</a></leaseInfo>' },
  'no metadata': { metadata: absent },
  'metadata empty': { metadata: '<metadata/>' },
  'metadata the empty map of Java': { metadata: '<metadata class="java.util.Collections$EmptyMap"/>' },
  'metadata with escaped names': {
    metadata: '<metadata><a__b>1</a__b><c_-d>2</c_-d><e_.0020f>3</e_.0020f></metadata>',
  },
  'metadata with an element inside': { metadata: '<metadata><a><b>c</b></a></metadata>' },
  'metadata with entities': { metadata: '<metadata><a>&lt;&amp;&gt;&quot;&apos;&#233;&#x65e5;</a></metadata>' },
  'metadata with CDATA': { metadata: '<metadata><a><![CDATA[<b>]]></a></metadata>' },
  'metadata with spaces': { metadata: '<metadata><a> b </a></metadata>' },
  'an unknown element': { colour: 'red' },
  'an unknown element with children': { colour: '<colour><red>1</red></colour>' },
  'countryId words': { countryId: 'DE' },
  'lastDirtyTimestamp words': { lastDirtyTimestamp: 'yesterday' },
  'no lastDirtyTimestamp': { lastDirtyTimestamp: absent },
  'actionType unknown': { actionType: 'CHANGED' },
  'an element twice': { hostName: '<hostName>h0</hostName><hostName>h1</hostName>' },
};

/** Bodies in XML. */
const xmlBodies: Readonly<Record<string, (app: string) => string>> = {
  empty: () => '',
  'no XML': () => '<nope',
  text: () => 'hello',
  'another root': (app) => instanceXml(app).replaceAll('instance>', 'application>'),
  'an empty root': () => '<instance/>',
  'a declaration': (app) => `<?xml version="1.0" encoding="UTF-8"?>\n${instanceXml(app)}`,
  'a comment': (app) => instanceXml(app).replace('<hostName>', '<!-- where --><hostName>'),
  'a document type': (app) => `<!DOCTYPE instance>${instanceXml(app)}`,
  'an entity of its own': (app) =>
    `<!DOCTYPE instance [<!ENTITY h "h1">]>${instanceXml(app, { hostName: '&h;' }).replace('&amp;', '&')}`,
  'text after the end': (app) => `${instanceXml(app)}and more`,
  'white space inside': (app) => instanceXml(app).replaceAll('><', '>\n  <'),
};

const paths = [
  'one:two',
  'one two',
  'one%2Ftwo',
  'one+two',
  'ünïcode',
  'one;two',
  'one%25two',
  'a.b',
  '..',
  '~',
  'ONE',
];

/** Registrations: good, odd and bad, in JSON and XML. */
export const registering: readonly Sketch[] = [
  ...Object.entries(changes).map(([name, members]) =>
    sketch(`JSON: ${name}`, (app) => [register(app, members), ...seen(app)]),
  ),
  ...Object.entries(bodies).map(([name, body]) =>
    sketch(`JSON: ${name}`, (app) => [post(app, body(app)), ...seen(app)]),
  ),
  ...types.map((type) =>
    sketch(`JSON that says it is ${type}`, (app) => [register(app, {}, { 'content-type': type }), ...seen(app)]),
  ),
  sketch('JSON of no type', (app) => [
    { method: 'POST', path: `/eureka/apps/${app}`, headers: json, body: JSON.stringify({ instance: instance(app) }) },
    ...seen(app),
  ]),
  ...[{}, { accept: 'application/xml' }, { accept: 'text/html' }, { accept: '*/*' }].map((accept) =>
    sketch(`a good and a bad registration, Accept: ${accept.accept ?? 'none'}`, (app) =>
      [{}, { hostName: absent }, { port: 5 }].map((change) => ({
        method: 'POST',
        path: `/eureka/apps/${app}`,
        headers: { 'content-type': 'application/json', ...accept },
        body: JSON.stringify({ instance: instance(app, change) }),
      })),
    ),
  ),
  ...Object.entries(xmlChanges).map(([name, members]) =>
    sketch(`XML: ${name}`, (app) => [registerXml(app, members), ...seen(app)]),
  ),
  ...Object.entries(xmlBodies).map(([name, body]) =>
    sketch(`XML: ${name}`, (app) => [post(app, body(app), { 'content-type': 'application/xml' }), ...seen(app)]),
  ),
  ...['application/xml;charset=UTF-8', 'text/xml', 'application/json'].map((type) =>
    sketch(`XML that says it is ${type}`, (app) => [
      post(app, instanceXml(app), { 'content-type': type }),
      ...seen(app),
    ]),
  ),
  sketch('an application in lower case in the path', (app) => [
    register(app.toLowerCase(), { app }),
    get(`apps/${app}`),
    get(`apps/${app.toLowerCase()}/one`),
  ]),
  sketch('an application in lower case in the document', (app) => [
    register(app, { app: app.toLowerCase() }),
    get(`apps/${app}/one`),
  ]),
  sketch('a registration with a slash behind', (app) => [register(`${app}/`, { app }), get(`apps/${app}/one`)]),
];

/** Registrations under odd ids, or none: what cannot be addressed stays, and is counted in the hash code of all. */
export const addressing: readonly Sketch[] = [
  sketch('JSON: instanceId empty', (app) => [register(app, { instanceId: '' }), ...seen(app), get(`apps/${app}/h1`)]),
  sketch('XML: instanceId empty', (app) => [registerXml(app, { instanceId: '' }), ...seen(app), get(`apps/${app}/h1`)]),
  // The XML of whatever lists it is none at theirs.
  sketch('JSON: metadata empty key', (app) => [register(app, facts({ '': 'a' })), get(`apps/${app}/one`)]),
  sketch('metadata ?=b', (app) => [register(app), put(`apps/${app}/one/metadata?=b`), get(`apps/${app}/one`)]),
  sketch('JSON: an unknown object', (app) => [register(app, { colour: {} }), ...seen(app)]),
  ...paths.map((path) =>
    sketch(`an instance at the address ${path}`, (app) => {
      const at = `apps/${app}/${encodeURI(path).replace('%2525', '%25').replace('%252F', '%2F')}`;
      return [
        register(app, { instanceId: decodeURIComponent(path) }),
        get(at),
        { method: 'PUT', path: `/eureka/${at}`, headers: json },
        get(`apps/${app}`),
        remove(at),
      ];
    }),
  ),
];
