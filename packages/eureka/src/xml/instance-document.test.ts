import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import type { EurekaInstance } from '../document.ts';
import { readEurekaInstance } from '../read-document.ts';
import { instanceMembers } from './instance-document.ts';
import { readXml } from './read-xml.ts';

const now = 1_800_000_000_000;
const plain = '<dataCenterInfo><name>MyOwn</name></dataCenterInfo>';
const least = `<hostName>h1</hostName><app>books</app><ipAddr>10.0.0.1</ipAddr>${plain}`;
const read = (inner: string): EurekaInstance =>
  readEurekaInstance(instanceMembers(readXml(Buffer.from(`<instance>${inner}</instance>`))), now, 'BOOKS');

/** What counts for less than it seems, as with a Java server. */
const lenient: readonly [written: string, member: keyof EurekaInstance, counts: unknown][] = [
  ['', 'port', { $: 7001, '@enabled': 'true' }],
  ['', 'securePort', { $: 7002, '@enabled': 'false' }],
  ['<port>1</port>', 'port', { $: 1, '@enabled': 'true' }],
  ['<port enabled="no">1</port>', 'port', { $: 1, '@enabled': 'true' }],
  ['<port enabled="false">1</port>', 'port', { $: 1, '@enabled': 'false' }],
  ['<securePort>1</securePort>', 'securePort', { $: 1, '@enabled': 'false' }],
  ['<securePort enabled="TRUE">1</securePort>', 'securePort', { $: 1, '@enabled': 'false' }],
  ['<securePort enabled="true">+1</securePort>', 'securePort', { $: 1, '@enabled': 'true' }],
  ['<status>DOWN</status>', 'status', 'DOWN'],
  ['<status>down</status>', 'status', 'UNKNOWN'],
  ['<status></status>', 'status', 'UNKNOWN'],
  ['<status>DOWN</status><status>UP</status>', 'status', 'UP'],
  ['<overriddenstatus>DOWN</overriddenstatus>', 'overriddenStatus', 'DOWN'],
  ['<overriddenStatus>DOWN</overriddenStatus>', 'overriddenStatus', 'DOWN'],
  ['<unknown><deep>x</deep></unknown>', 'instanceId', undefined],
  ['<identifyingAttribute>x</identifyingAttribute>', 'instanceId', undefined],
  ['<appGroupName>group</appGroupName>', 'appGroupName', 'GROUP'],
  ['<sid>na</sid>', 'sid', undefined],
  ['<lastDirtyTimestamp>17</lastDirtyTimestamp>', 'lastDirtyTimestamp', '17'],
  ['<lastDirtyTimestamp>yesterday</lastDirtyTimestamp>', 'lastDirtyTimestamp', String(now)],
  ['<isCoordinatingDiscoveryServer>TRUE</isCoordinatingDiscoveryServer>', 'isCoordinatingDiscoveryServer', 'true'],
  ['<actionType>EATEN</actionType>', 'actionType', undefined],
  ['<actionType>MODIFIED</actionType>', 'actionType', 'MODIFIED'],
  ['<homePageUrl/>', 'homePageUrl', ''],
  [
    '<metadata class="java.util.HashMap"><a__b>&lt;</a__b><_.0032>2</_.0032><c/></metadata>',
    'metadata',
    { a_b: '<', '2': '2', c: '' },
  ],
  ['<metadata class="java.util.Collections$EmptyMap"/>', 'metadata', { '@class': 'java.util.Collections$EmptyMap' }],
  ['<metadata><a>1</a><a>2</a></metadata>', 'metadata', { a: '2' }],
];
for (const [written, member, counts] of lenient) {
  test(`${written || 'nothing'} is read as ${member} ${JSON.stringify(counts)}`, () => {
    assert.deepEqual(read(least + written)[member], counts);
  });
}

test('lease terms and times', () => {
  const { leaseInfo } = read(
    `${least}<leaseInfo><durationInSecs>20</durationInSecs><serviceUpTimestamp>7</serviceUpTimestamp><other>1</other></leaseInfo>`,
  );
  assert.deepEqual(leaseInfo, {
    renewalIntervalInSecs: 30,
    durationInSecs: 20,
    registrationTimestamp: 0,
    lastRenewalTimestamp: 0,
    evictionTimestamp: 0,
    serviceUpTimestamp: 7,
  });
});

test("Amazon is known by its name, in any case; its facts get the instance's id where they have none", () => {
  const amazon = (inner: string) => read(least.replace(plain, `<dataCenterInfo class="x">${inner}</dataCenterInfo>`));
  assert.deepEqual(amazon('<name>amazon</name><metadata><instance-id>i-1</instance-id></metadata>').dataCenterInfo, {
    '@class': 'com.netflix.appinfo.AmazonInfo',
    name: 'Amazon',
    metadata: { 'instance-id': 'i-1' },
  });
  assert.deepEqual(amazon('<name>AMAZON</name>').dataCenterInfo.metadata, { 'instance-id': 'h1' });
  const other = amazon('<name>Netflix</name><metadata><a>b</a></metadata>').dataCenterInfo;
  assert.deepEqual(other, { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'Netflix' });
});

const refused: readonly [inner: string, code: string, names: string][] = [
  [least.replace('<app>books</app>', ''), 'MALFORMED_REQUEST', 'app'],
  [`${least}<port>x</port>`, 'MALFORMED_REQUEST', 'port'],
  [`${least}<port></port>`, 'MALFORMED_REQUEST', 'port'],
  [`${least}<port>1.0</port>`, 'MALFORMED_REQUEST', 'port'],
  [`${least}<port>4294967296</port>`, 'MALFORMED_REQUEST', '$'],
  [`${least}<countryId>x</countryId>`, 'MALFORMED_REQUEST', 'countryId'],
  [
    `${least}<leaseInfo><durationInSecs>x</durationInSecs></leaseInfo>`,
    'MALFORMED_REQUEST',
    'leaseInfo.durationInSecs',
  ],
  [`${least}<leaseInfo><other>x</other></leaseInfo>`, 'MALFORMED_REQUEST', 'leaseInfo.other'],
  [`${least}<metadata><a><b/></a></metadata>`, 'MALFORMED_REQUEST', 'metadata.a'],
  [least.replace('MyOwn', 'Elsewhere'), 'MALFORMED_REQUEST', 'dataCenterInfo.name'],
  [least.replace('<name>', '<metadata><a>b</a></metadata><name>'), 'MALFORMED_REQUEST', 'dataCenterInfo.name'],
  [least.replace(plain, ''), 'INVALID_INPUT', 'Missing dataCenterInfo'],
  [least.replace('<name>MyOwn</name>', ''), 'INVALID_INPUT', 'Missing dataCenterInfo'],
  [least.replace('h1', ''), 'INVALID_INPUT', 'Missing instanceId'],
  [`${least}<port>65536</port>`, 'INVALID_INPUT', 'port'],
  [least.replace('h1', 'h 1'), 'INVALID_INPUT', 'hostName'],
  [`${least}<homePageUrl>javascript:alert(1)</homePageUrl>`, 'INVALID_INPUT', 'homePageUrl'],
];
suite('what is refused, and what the refusal names', () => {
  for (const [inner, code, names] of refused) {
    test(`${names}: ${inner.replace(least, '')}`, () => {
      assert.throws(
        () => read(inner),
        (thrown) => thrown instanceof FlotillaError && thrown.code === code && thrown.detail.includes(names),
      );
    });
  }
  test('another root', () => {
    assert.throws(
      () => instanceMembers(readXml(Buffer.from('<application/>'))),
      /has to be <instance>, not <application>/,
    );
  });
});
