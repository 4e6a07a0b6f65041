import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nullLogger, nullMeter, nullTracer } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { Policies } from '@flotilla/resilience';
import { callFilters, connectionFilters, typedCalls } from './client.ts';

test('the composition of a client is two lists with a reason per line', () => {
  const runtime = { meter: nullMeter, tracer: nullTracer, logger: nullLogger };
  const guard = new Policies({ clock: new ManualClock() }).client('a');
  const around = callFilters({ service: 'a' }, guard, runtime, typedCalls);
  const policies = guard.callFilters({ contract: 'a', operation: 'b', streamed: false }, {});
  const before = connectionFilters('a at b:1', guard);
  assert.deepEqual(
    [...around, ...policies, ...before].map(({ name }) => name),
    ['observe', 'policies', ...['timeout', 'breaker', 'retry'], ...['concurrencyLimit', 'attemptTimeout']],
  );
  assert.ok([...around, ...policies, ...before].every(({ reason }) => reason.length > 20));
});
