import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appsHashCode, encodeApplication, encodeApplications } from './applications.ts';
import type { EurekaInstance } from './document.ts';
import { readEurekaInstance } from './read-document.ts';

function document(app: string, instanceId: string, status: string): EurekaInstance {
  const dataCenterInfo = { '@class': 'com.netflix.appinfo.MyDataCenterInfo', name: 'MyOwn' };
  return readEurekaInstance({ app, instanceId, status, hostName: 'h1', ipAddr: '10.0.0.1', dataCenterInfo }, 1);
}

test('the hash code counts the instances of each status, in the order of the alphabet', () => {
  assert.equal(appsHashCode(['UP', 'DOWN', 'UP']), 'DOWN_1_UP_2_');
  assert.equal(
    appsHashCode(['UP', 'STARTING', 'OUT_OF_SERVICE', 'UNKNOWN']),
    'OUT_OF_SERVICE_1_STARTING_1_UNKNOWN_1_UP_1_',
  );
  assert.equal(appsHashCode([]), '');
});

test('an empty registry is the text that a Java server answers', () => {
  assert.equal(
    JSON.stringify(encodeApplications([])),
    '{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}',
  );
});

test('an unknown VIP is the text that a Java server answers', () => {
  assert.equal(
    JSON.stringify(encodeApplications([], { version: -1 })),
    '{"applications":{"versions__delta":"-1","apps__hashcode":"","application":[]}}',
  );
});

test('instances are grouped by application, and a group of one is a list too', () => {
  const [a1, b1, a2] = [document('a', '1', 'UP'), document('b', '1', 'DOWN'), document('a', '2', 'UP')];
  const { applications } = encodeApplications([a1, b1, a2]);
  assert.deepEqual(applications.application, [
    { name: 'A', instance: [a1, a2] },
    { name: 'B', instance: [b1] },
  ]);
  assert.equal(applications.apps__hashcode, 'DOWN_1_UP_2_');
});

test('a delta carries its own version and the hash code of the whole registry', () => {
  const { applications } = encodeApplications([document('a', '1', 'UP')], { version: 7, hashCode: 'UP_9_' });
  assert.deepEqual([applications.versions__delta, applications.apps__hashcode], ['7', 'UP_9_']);
});

test('one application is wrapped by name', () => {
  assert.deepEqual(encodeApplication('A', []), { application: { name: 'A', instance: [] } });
});
