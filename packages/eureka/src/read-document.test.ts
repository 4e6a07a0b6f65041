import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { readEurekaInstance } from './read-document.ts';

const now = 1_800_000_000_000;
const plain = { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' };
const least = { app: 'BOOKS', hostName: 'h1', ipAddr: '10.0.0.1', dataCenterInfo: plain };

/** Members that a Java server cannot parse, and what the refusal names. */
const malformed: readonly [document: unknown, names: string][] = [
  [null, 'instance'],
  ['x', 'instance'],
  [[], 'instance'],
  [{ ...least, app: undefined }, 'app'],
  [{ ...least, app: null }, 'app'],
  [{ ...least, hostName: {} }, 'hostName'],
  [{ ...least, hostName: [] }, 'hostName'],
  [{ ...least, status: {} }, 'status'],
  [{ ...least, port: 8080 }, 'port'],
  [{ ...least, port: '8080' }, 'port'],
  [{ ...least, port: [8080] }, 'port'],
  [{ ...least, port: { $: 8080, '@enabled': 'true', extra: 1 } }, 'port.extra'],
  [{ ...least, port: { $: 4_294_967_296 } }, '$'],
  [{ ...least, port: { $: true } }, '$'],
  [{ ...least, securePort: { $: {} } }, '$'],
  [{ ...least, leaseInfo: 'x' }, 'leaseInfo'],
  [{ ...least, leaseInfo: { extra: {} } }, 'leaseInfo.extra'],
  [{ ...least, leaseInfo: { durationInSecs: [] } }, 'leaseInfo.durationInSecs'],
  [{ ...least, extra: {} }, 'extra'],
  [{ ...least, extra: [] }, 'extra'],
  [{ ...least, metadata: [] }, 'metadata'],
  [{ ...least, metadata: 'x' }, 'metadata'],
  [{ ...least, metadata: { a: {} } }, 'metadata.a'],
  [{ ...least, metadata: { a: [] } }, 'metadata.a'],
  [{ ...least, lastDirtyTimestamp: {} }, 'lastDirtyTimestamp'],
  [{ ...least, dataCenterInfo: 'MyOwn' }, 'dataCenterInfo'],
  [{ ...least, dataCenterInfo: { name: 'MyOwn' } }, 'dataCenterInfo.@class'],
  [{ ...least, dataCenterInfo: { ...plain, '@class': 'java.lang.Runtime' } }, 'dataCenterInfo.@class'],
  [{ ...least, dataCenterInfo: { ...plain, name: 'Elsewhere' } }, 'dataCenterInfo.name'],
  [{ ...least, dataCenterInfo: { ...plain, metadata: {} } }, 'dataCenterInfo.metadata'],
  [{ ...least, dataCenterInfo: { '@class': 'com.netflix.appinfo.AmazonInfo' } }, 'dataCenterInfo.metadata'],
];

/** Documents that a Java server parses and then refuses, in its own words and order. */
const incomplete: readonly [document: unknown, words: string][] = [
  [{ app: 'BOOKS' }, 'Missing instanceId'],
  [{ app: 'BOOKS', instanceId: '', hostName: '' }, 'Missing instanceId'],
  [{ app: 'BOOKS', instanceId: 'x' }, 'Missing hostname'],
  [{ app: 'BOOKS', hostName: 'h1' }, 'Missing ip address'],
  [{ app: '', hostName: 'h1', ipAddr: '10.0.0.1' }, 'Missing appName'],
  [{ app: 'films', hostName: 'h1', ipAddr: '10.0.0.1' }, 'Mismatched appName, expecting BOOKS but was FILMS'],
  [{ app: 'books', hostName: 'h1', ipAddr: '10.0.0.1' }, 'Missing dataCenterInfo'],
  [{ ...least, dataCenterInfo: { '@class': plain['@class'] } }, 'Missing dataCenterInfo Name'],
  [{ ...least, dataCenterInfo: { ...plain, name: '' } }, 'Missing dataCenterInfo Name'],
];

/** What would harm those who read it; the refusal names the member. */
const outOfBounds: readonly [document: unknown, names: string][] = [
  [{ ...least, hostName: 'h 1' }, 'hostName'],
  [{ ...least, hostName: 'h1/path' }, 'hostName'],
  [{ ...least, hostName: 'u@h1' }, 'hostName'],
  [{ ...least, hostName: 'h'.repeat(256) }, 'hostName'],
  [{ ...least, ipAddr: '10.0.0.1\n' }, 'ipAddr'],
  [{ ...least, instanceId: 'a\u0000b' }, 'instanceId'],
  [{ ...least, port: { $: 65_536 } }, 'port'],
  [{ ...least, port: { $: -1 } }, 'port'],
  [{ ...least, lastDirtyTimestamp: -1 }, 'lastDirtyTimestamp'],
  [{ ...least, homePageUrl: 'javascript:alert(1)' }, 'homePageUrl'],
  [{ ...least, homePageUrl: 'http://user:secret@h1/' }, 'homePageUrl'],
  [{ ...least, statusPageUrl: '/actuator/info' }, 'statusPageUrl'],
  [{ ...least, healthCheckUrl: 'file:///etc/passwd' }, 'healthCheckUrl'],
  [{ ...least, secureHealthCheckUrl: 'https://{host}/' }, 'secureHealthCheckUrl'],
  [{ ...least, homePageUrl: `http://h1/${'x'.repeat(2_048)}` }, 'homePageUrl'],
  [{ ...least, vipAddress: 'x'.repeat(1_025) }, 'vipAddress'],
  [{ ...least, asgName: 'a\u0007' }, 'asgName'],
  [{ ...least, metadata: { '': 'x' } }, 'metadata'],
  [{ ...least, dataCenterInfo: { ...plain, name: 'Amazon' } }, 'dataCenterInfo'],
];

suite('a document that no Java server parses is MALFORMED_REQUEST, naming the member', () => {
  for (const [document, names] of malformed) {
    test(`${names}: ${JSON.stringify(document)?.slice(0, 120)}`, () => {
      assert.throws(
        () => readEurekaInstance(document, now),
        (thrown) => isRefusal(thrown, 'MALFORMED_REQUEST') && thrown.detail.includes(`"${names}"`),
      );
    });
  }
});

suite("an incomplete document is INVALID_INPUT in a Java server's words, the first that is missing", () => {
  for (const [document, words] of incomplete) {
    test(words, () => {
      assert.throws(() => readEurekaInstance(document, now, 'books'), { code: 'INVALID_INPUT', detail: words });
    });
  }
});

suite('a document out of bounds is INVALID_INPUT, naming the member', () => {
  for (const [document, names] of outOfBounds) {
    test(`${names}: ${JSON.stringify(document).slice(0, 120)}`, () => {
      assert.throws(
        () => readEurekaInstance(document, now),
        (thrown) => isRefusal(thrown, 'INVALID_INPUT') && thrown.detail.includes(names),
      );
    });
  }
});

test('what is absent, or null, is as Java has it', () => {
  const nulls = { port: null, securePort: null, leaseInfo: null, metadata: null, status: null, sid: null };
  for (const document of [least, { ...least, ...nulls, lastDirtyTimestamp: null, overriddenStatus: null }]) {
    assert.deepEqual(readEurekaInstance(document, now), {
      hostName: 'h1',
      app: 'BOOKS',
      ipAddr: '10.0.0.1',
      status: 'UP',
      overriddenStatus: 'UNKNOWN',
      port: { $: 7001, '@enabled': 'true' },
      securePort: { $: 7002, '@enabled': 'false' },
      countryId: 1,
      dataCenterInfo: plain,
      leaseInfo: {
        renewalIntervalInSecs: 30,
        durationInSecs: 90,
        registrationTimestamp: 0,
        lastRenewalTimestamp: 0,
        evictionTimestamp: 0,
        serviceUpTimestamp: 0,
      },
      metadata: { '@class': 'java.util.Collections$EmptyMap' },
      isCoordinatingDiscoveryServer: 'false',
      lastUpdatedTimestamp: String(now),
      lastDirtyTimestamp: String(now),
    });
  }
});

/** One row per leniency of the Java decoder: what is written, the member, what it counts as. */
const lenient: readonly [written: object, member: string, counts: unknown][] = [
  [{ status: 'up' }, 'status', 'UNKNOWN'],
  [{ status: 3 }, 'status', 'UNKNOWN'],
  [{ overriddenstatus: 'DOWN' }, 'overriddenStatus', 'DOWN'],
  [{ instanceId: 7 }, 'instanceId', '7'],
  [{ vipAddress: true }, 'vipAddress', 'true'],
  [{ app: 'books' }, 'app', 'BOOKS'],
  [{ appGroupName: 'shelves' }, 'appGroupName', 'SHELVES'],
  [{ sid: 'na' }, 'sid', undefined],
  [{ countryId: '49' }, 'countryId', 49],
  [{ countryId: 'Germany' }, 'countryId', 0],
  [{ countryId: 2.9 }, 'countryId', 2],
  [{ port: {} }, 'port', { $: 7001, '@enabled': 'true' }],
  [{ port: { $: '8080', '@enabled': true } }, 'port', { $: 8080, '@enabled': 'true' }],
  [{ port: { $: 8080, '@enabled': 'TRUE' } }, 'port', { $: 8080, '@enabled': 'false' }],
  [{ port: { $: 8080, '@enabled': 1 } }, 'port', { $: 8080, '@enabled': 'false' }],
  [{ isCoordinatingDiscoveryServer: true }, 'isCoordinatingDiscoveryServer', 'true'],
  [{ lastDirtyTimestamp: '1700000000000' }, 'lastDirtyTimestamp', '1700000000000'],
  [{ lastDirtyTimestamp: 'yesterday' }, 'lastDirtyTimestamp', '0'],
  [{ actionType: 'ADDED' }, 'actionType', 'ADDED'],
  [{ actionType: 'EATEN' }, 'actionType', undefined],
  [{ metadata: { n: 1.5, t: true, none: null, s: '' } }, 'metadata', { n: '1.5', t: 'true', none: 'null', s: '' }],
  [{ metadata: { '@class': 'java.util.HashMap', a: '1' } }, 'metadata', { a: '1' }],
  [{ unknown: 'scalar' }, 'unknown', undefined],
  [{ homePageUrl: '' }, 'homePageUrl', ''],
];

for (const [written, member, counts] of lenient) {
  test(`${JSON.stringify(written)} counts as ${JSON.stringify(counts)}`, () => {
    const read: object = readEurekaInstance({ ...least, ...written }, now);
    assert.deepEqual(Reflect.get(read, member), counts);
  });
}

test('lease terms of 0 and below are the customary ones', () => {
  const { leaseInfo } = readEurekaInstance(
    { ...least, leaseInfo: { renewalIntervalInSecs: 0, durationInSecs: -1, unknown: 1 } },
    now,
  );
  assert.deepEqual([leaseInfo.renewalIntervalInSecs, leaseInfo.durationInSecs], [30, 90]);
});

test('members that every object inherits are not members of a document', () => {
  const read = readEurekaInstance({ ...least, ...JSON.parse('{"__proto__":"x","constructor":"y"}') }, now);
  assert.deepEqual(read, readEurekaInstance(least, now));
});

function isRefusal(thrown: unknown, code: string): thrown is FlotillaError {
  return thrown instanceof FlotillaError && thrown.code === code;
}
