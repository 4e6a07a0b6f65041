import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryClientDefaults } from './options.ts';

test('the defaults of a registry client are these', () => {
  assert.deepEqual(registryClientDefaults, {
    requestTimeoutMs: 2_000,
    deregisterTimeoutMs: 2_000,
    pollEveryMs: 30_000,
    returnEveryMs: 30_000,
    silenceMs: 45_000,
  });
});
