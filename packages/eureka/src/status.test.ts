import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instanceStatuses } from '@flotilla/core';
import { eurekaStatuses } from './document.ts';
import { decodeStatus, encodeStatus, shownStatus } from './status.ts';

test('every Eureka word means a status of its own', () => {
  assert.deepEqual(eurekaStatuses.map(decodeStatus).map(encodeStatus), eurekaStatuses);
});

test('every status has a Eureka word, and draining is OUT_OF_SERVICE', () => {
  assert.deepEqual(instanceStatuses.map(encodeStatus), [
    'STARTING',
    'UP',
    'OUT_OF_SERVICE',
    'DOWN',
    'OUT_OF_SERVICE',
    'UNKNOWN',
  ]);
});

test("an operator's word counts for an instance that says up or out of service, and for no other", () => {
  const shown = instanceStatuses.map((status) => shownStatus({ status, override: 'down' }));
  assert.deepEqual(shown, ['STARTING', 'DOWN', 'DOWN', 'DOWN', 'DOWN', 'UNKNOWN']);
  assert.equal(shownStatus({ status: 'down', override: 'up' }), 'DOWN');
  assert.equal(shownStatus({ status: 'draining', override: 'up' }), 'UP');
});

test("without an override the owner's word counts", () => {
  assert.equal(shownStatus({ status: 'draining' }), 'OUT_OF_SERVICE');
  assert.equal(shownStatus({ status: 'up' }), 'UP');
});
