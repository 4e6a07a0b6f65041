import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import { registration } from '../testing/served.ts';
import { type LeftOut, type ReadApplications, readApplications } from './read-applications.ts';

const { instance } = registration(1_000) as { instance: Record<string, unknown> };

function read(applications: unknown, problems: LeftOut[] = []): ReadApplications {
  const bytes = Buffer.from(JSON.stringify({ applications }));
  return readApplications(bytes, 5_000, (facts) => problems.push(facts));
}

const ids = ({ instances }: ReadApplications): string =>
  instances.map(({ instance: found, key }) => found?.id ?? `(${key.split('\n')[1]})`).join();

const one = { name: 'ORDER-SERVICE', instance: [instance] };

test('lists may be lists or, of one, the object alone', () => {
  for (const application of [[one], one, [{ ...one, instance }], { ...one, instance }]) {
    assert.equal(ids(read({ application })), '127.0.0.1:order-service:18720');
  }
});

test('no applications at all are an empty list', () => {
  for (const applications of [{}, { application: [] }, { application: null }, { application: [{ name: 'X' }] }]) {
    assert.equal(read(applications).instances.length, 0);
  }
});

test('a Spring service is callable over http and, where its secure port is enabled, over https', () => {
  const secure = { ...instance, instanceId: 'secure', securePort: { $: 8443, '@enabled': 'true' } };
  const only = { ...secure, instanceId: 'only', port: { $: 80, '@enabled': 'false' } };
  const { instances } = read({ application: { name: 'X', instance: [instance, secure, only] } });
  assert.deepEqual(
    instances.map(({ instance: found }) => found?.addresses.map(({ protocol, port }) => `${protocol} ${port}`)),
    [['http 18720'], ['https 8443', 'http 18720'], ['https 8443']],
  );
  const [{ instance: found, names } = { names: new Set() }] = instances;
  assert.deepEqual([found?.zone, found?.status, found?.incarnation], ['zone-a', 'up', 1_000]);
  assert.deepEqual([...names], ['order-service']);
});

test('one that cannot be used is left out, and counts in the hash code all the same', () => {
  const problems: LeftOut[] = [];
  const poisoned = [
    { ...instance, instanceId: 'no-host', hostName: undefined },
    { ...instance, instanceId: 'nowhere', hostName: '0.0.0.0' },
    { ...instance, instanceId: 'port-0', port: { $: 0, '@enabled': 'true' } },
    { ...instance, instanceId: 'closed', port: { $: 80, '@enabled': 'false' } },
    { ...instance, instanceId: 'bad-port', port: 8080 },
    { ...instance, instanceId: 'url', homePageUrl: 'javascript:alert(1)' },
    { ...instance, instanceId: 'notes', metadata: { 'flotilla.addresses': '[{"host":"\u0000"}]' } },
    instance,
    'nonsense',
    { app: 'X' },
  ];
  const answer = read({ application: { name: 'X', instance: poisoned } }, problems);
  assert.equal(
    ids(answer),
    '(no-host),(nowhere),(port-0),(closed),(bad-port),(url),(notes),127.0.0.1:order-service:18720',
  );
  assert.deepEqual([problems[0]?.count, problems[0]?.examples.length], [9, 5]);
});

test('of who is DELETED only the name is read', () => {
  const { instances } = read({
    application: { name: 'X', instance: { app: 'x', instanceId: 'a', actionType: 'DELETED' } },
  });
  assert.deepEqual(
    instances.map(({ key, action, instance: found }) => [key, action, found]),
    [['X\na', 'DELETED', undefined]],
  );
});

test('the short form tells a change by lastUpdatedTimestamp', () => {
  const { lastDirtyTimestamp: _, metadata: __, leaseInfo: ___, ...short } = instance;
  const { instances } = read({ application: { name: 'X', instance: { ...short, lastUpdatedTimestamp: 77 } } });
  assert.equal(instances[0]?.instance?.incarnation, 77);
});

test('what changes at each renewal is not in an instance', () => {
  const lease = (lastRenewalTimestamp: number): object => ({
    ...instance,
    lastUpdatedTimestamp: lastRenewalTimestamp,
    leaseInfo: { renewalIntervalInSecs: 30, durationInSecs: 90, lastRenewalTimestamp, serviceUpTimestamp: 5 },
  });
  const [first, second] = [7, 8].map((at) => read({ application: { name: 'X', instance: lease(at) } }).instances[0]);
  assert.deepEqual(first?.instance, second?.instance);
});

test('what is no such document is refused whole', () => {
  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"applications":[]}',
    '{"applications":"x"}',
    '<applications/>',
    '\xff',
  ]) {
    assert.throws(
      () => readApplications(Buffer.from(text, 'latin1'), 0),
      (error) => error instanceof FlotillaError && error.code === 'BAD_RESPONSE',
      text,
    );
  }
});

const folder = process.env['FLOTILLA_TEST_DATA'];
const skip = folder === undefined && 'SKIPPED LOUDLY: set FLOTILLA_TEST_DATA to the folder that holds eureka-traffic/';
test('answers recorded from a real server are read', { skip }, () => {
  const text = readFileSync(`${folder}/eureka-traffic/server-answers-2025.0.txt`, 'utf8');
  const documents = text.split('\n').filter((line) => line.startsWith('{"applications"'));
  assert.ok(documents.length > 0);
  for (const document of documents) {
    const problems: LeftOut[] = [];
    const { instances } = readApplications(Buffer.from(document), 0, (facts) => problems.push(facts));
    assert.deepEqual(problems, [], document);
    assert.equal(instances.length, document.split('"hostName"').length - 1);
  }
});
