import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nullLogger, nullMeter, nullTracer } from '@flotilla/core';
import { ManualClock } from '@flotilla/core/testing';
import { Policies } from '@flotilla/resilience';
import { contract, query, stream } from '@flotilla/rpc';
import * as z from 'zod';
import { callFilters, connectionFilters, createLazyClient, typedCalls } from './client.ts';

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

test('a client that is used before its service runs fails as a call does', async () => {
  const tides = contract(
    { name: 'tides', version: 1 },
    { now: query({ out: z.number() }), follow: stream({ out: z.number() }) },
  );
  const { now, follow } = createLazyClient(tides, {}).client as Record<string, (input?: unknown) => unknown>;
  assert.ok(now && follow);
  const refused = { code: 'UNAVAILABLE', executed: 'no', message: /"tides" was used while its service does not run/ };
  await assert.rejects(now() as Promise<number>, refused);
  const reading = (follow() as AsyncIterable<number>)[Symbol.asyncIterator]();
  await assert.rejects(reading.next(), refused);
});
