import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EurekaInstance } from './document.ts';
import { type FormatName, formats, writeInstance, writeList } from './formats.ts';
import { readEurekaInstance } from './read-document.ts';

const document: EurekaInstance = readEurekaInstance(
  {
    instanceId: 'h1:books',
    app: 'BOOKS',
    hostName: 'h1',
    ipAddr: '10.0.0.1',
    dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
    metadata: { a_b: '<&>', 'c d$': '' },
    vipAddress: 'books',
    asgName: 'group',
    actionType: 'ADDED',
  },
  1_800_000_000_000,
);

const lists: Readonly<Record<FormatName, { readonly none: string; readonly two: RegExp }>> = {
  json: {
    none: '{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}',
    two: /^\{"applications":\{"versions__delta":"7","apps__hashcode":"UP_2_","application":\[\{"name":"BOOKS","instance":\[\{.*"actionType":"ADDED","asgName":"group"\},\{"instanceId":.*\}\]\}\]\}\}$/,
  },
  jsonCompact: {
    none: '{"applications":{"application":[],"versions__delta":"1","apps__hashcode":""}}',
    two: /^\{"applications":\{"application":\[\{"name":"BOOKS","instance":\[\{"instanceId":.*\},\{"instanceId":.*\}\]\}\],"versions__delta":"7","apps__hashcode":"UP_2_"\}\}$/,
  },
  xml: {
    none: '<applications>\n  <versions__delta>1</versions__delta>\n  <apps__hashcode></apps__hashcode>\n</applications>',
    two: /^<applications>\n {2}<versions__delta>7<\/versions__delta>\n {2}<apps__hashcode>UP_2_<\/apps__hashcode>\n {2}<application>\n {4}<name>BOOKS<\/name>\n {4}<instance>\n.* {4}<\/instance>\n {4}<instance>\n.* {4}<\/instance>\n {2}<\/application>\n<\/applications>$/s,
  },
  xmlCompact: {
    none: '<applications><versions__delta>1</versions__delta><apps__hashcode></apps__hashcode></applications>',
    two: /^<applications><application><name>BOOKS<\/name><instance>.*<\/instance><instance>.*<\/instance><\/application><versions__delta>7<\/versions__delta><apps__hashcode>UP_2_<\/apps__hashcode><\/applications>$/,
  },
};

for (const [name, { none, two }] of Object.entries(lists)) {
  const format = formats[name as FormatName];
  test(`${name}: a list of nobody, and one of two`, () => {
    assert.equal(writeList(format, [], { version: 1, hashCode: '' }), none);
    assert.match(writeList(format, [document, document], { version: 7, hashCode: 'UP_2_' }), two);
  });
}

test('one instance in XML: names that are no XML are escaped, and so is text', () => {
  assert.equal(
    writeInstance(document, 'application/xml'),
    `<instance>
  <instanceId>h1:books</instanceId>
  <hostName>h1</hostName>
  <app>BOOKS</app>
  <ipAddr>10.0.0.1</ipAddr>
  <status>UP</status>
  <overriddenstatus>UNKNOWN</overriddenstatus>
  <port enabled="true">7001</port>
  <securePort enabled="false">7002</securePort>
  <countryId>1</countryId>
  <dataCenterInfo class="com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo">
    <name>MyOwn</name>
  </dataCenterInfo>
  <leaseInfo>
    <renewalIntervalInSecs>30</renewalIntervalInSecs>
    <durationInSecs>90</durationInSecs>
    <registrationTimestamp>0</registrationTimestamp>
    <lastRenewalTimestamp>0</lastRenewalTimestamp>
    <evictionTimestamp>0</evictionTimestamp>
    <serviceUpTimestamp>0</serviceUpTimestamp>
  </leaseInfo>
  <metadata>
    <a__b>&lt;&amp;&gt;</a__b>
    <c_.0020d_->` +
      `</c_.0020d_->
  </metadata>
  <vipAddress>books</vipAddress>
  <isCoordinatingDiscoveryServer>false</isCoordinatingDiscoveryServer>
  <lastUpdatedTimestamp>1800000000000</lastUpdatedTimestamp>
  <lastDirtyTimestamp>1800000000000</lastDirtyTimestamp>
  <actionType>ADDED</actionType>
  <asgName>group</asgName>
</instance>`,
  );
});

test("the compact form keeps of Amazon's facts those that say which instance it is and where", () => {
  const metadata = { 'instance-id': 'i-1', 'ami-id': 'ami-1', 'availability-zone': 'us-east-1a' };
  const amazon = {
    ...document,
    dataCenterInfo: { '@class': 'com.netflix.appinfo.AmazonInfo', name: 'Amazon', metadata },
  } as const;
  assert.equal(
    formats.xmlCompact.instance(amazon),
    '<instance><instanceId>h1:books</instanceId><app>BOOKS</app><ipAddr>10.0.0.1</ipAddr><vipAddress>books</vipAddress>' +
      '<dataCenterInfo class="com.netflix.appinfo.AmazonInfo"><name>Amazon</name><metadata><instance-id>i-1</instance-id>' +
      '<availability-zone>us-east-1a</availability-zone></metadata></dataCenterInfo><hostName>h1</hostName>' +
      '<status>UP</status><lastUpdatedTimestamp>1800000000000</lastUpdatedTimestamp><actionType>ADDED</actionType>' +
      '<asgName>group</asgName><port enabled="true">7001</port><securePort enabled="false">7002</securePort></instance>',
  );
  assert.deepEqual(JSON.parse(formats.jsonCompact.instance(amazon)), {
    instanceId: 'h1:books',
    app: 'BOOKS',
    ipAddr: '10.0.0.1',
    vipAddress: 'books',
    dataCenterInfo: {
      '@class': 'com.netflix.appinfo.AmazonInfo',
      name: 'Amazon',
      metadata: { 'instance-id': 'i-1', 'availability-zone': 'us-east-1a' },
    },
    hostName: 'h1',
    status: 'UP',
    lastUpdatedTimestamp: 1_800_000_000_000,
    actionType: 'ADDED',
    asgName: 'group',
    port: { $: 7001, '@enabled': 'true' },
    securePort: { $: 7002, '@enabled': 'false' },
  });
});
