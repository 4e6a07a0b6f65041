import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nullLogger, nullMeter, nullTracer } from '@flotilla/core';
import type { OperationRequest, OperationResponse } from '@flotilla/rpc';
import { callFilters, connectionFilters } from './client.ts';

test('the composition of a client is one list with a reason per line', () => {
  const runtime = { meter: nullMeter, tracer: nullTracer, logger: nullLogger };
  const filters = [
    ...callFilters<OperationRequest, OperationResponse>({ service: 'a' }, {}, runtime),
    ...connectionFilters('a at b:1', {}),
  ];
  assert.deepEqual(
    filters.map(({ name }) => name),
    ['observe', 'timeout', 'retry', 'concurrencyLimit', 'attemptTimeout'],
  );
  assert.ok(filters.every(({ reason }) => reason.length > 20));
});
