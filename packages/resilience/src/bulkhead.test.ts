import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, FlotillaError, type Handler } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { Bulkhead, bulkhead } from './bulkhead.ts';
import { bulkheadDefaults } from './client-policies.ts';
import type { PolicyEvent } from './events.ts';

const echo: Handler<string, string> = async (request) => request;

function stage(given: Partial<typeof bulkheadDefaults>) {
  const clock = new ManualClock();
  const events: PolicyEvent[] = [];
  const state = new Bulkhead({
    settings: { ...bulkheadDefaults, ...given },
    target: 'orders',
    operation: 'orders.get',
    events: { report: (event) => events.push(event) },
  });
  const handle = bulkhead<string, string>({ bulkhead: state })(echo);
  const newCall = (urgency = 3): Call => new Call({ clock, random: seededRandom(1), urgency });
  return { clock, events, state, handle, newCall };
}

test('a place is free when the last element is done, not when the answer begins', async () => {
  const { clock, handle, newCall, state } = stage({ maxConcurrent: 1 });
  const stream = newCall();
  assert.equal(await handle('stream', stream), 'stream');
  const waiting = handle('next', newCall());
  await clock.advance(10);
  assert.deepEqual([state.places.inFlight, state.places.queued], [1, 1]);
  stream.end();
  assert.equal(await waiting, 'next');
  assert.deepEqual([state.places.inFlight, state.places.queued], [1, 0]);
});

test('who finds neither place nor room to wait is refused, and certainly not executed', async () => {
  const { events, handle, newCall } = stage({ maxConcurrent: 2, maxQueued: 0 });
  await handle('a', newCall());
  await handle('b', newCall());
  const refused = newCall();
  await assert.rejects(handle('c', refused), (error: FlotillaError) => {
    assert.equal(error.code, 'UNAVAILABLE');
    assert.equal(error.executed, 'no');
    assert.match(error.detail, /orders\.get of "orders" has 2 calls in flight.*bulkhead\.maxConcurrent/);
    return true;
  });
  assert.equal(refused.ended, true);
  assert.deepEqual(
    events.map(({ policy, kind }) => `${policy} ${kind}`),
    ['bulkhead refused'],
  );
});

test('a wait ends in time, and the call with it', async () => {
  const { clock, handle, newCall } = stage({ maxConcurrent: 1, maxWaitMs: 50 });
  await handle('a', newCall());
  const call = newCall();
  const refused = assert.rejects(handle('b', call), { code: 'UNAVAILABLE' });
  await clock.advance(50);
  await refused;
  assert.equal(call.ended, true);
});

test('a failed call gives its place back once', async () => {
  const { state, newCall } = stage({ maxConcurrent: 1, maxQueued: 0 });
  const failing = bulkhead<string, string>({ bulkhead: state })(async (_request, call) => {
    const error = new FlotillaError('CONNECT_FAILED', 'refused');
    call.end(error);
    throw error;
  });
  await assert.rejects(failing('x', newCall()), { code: 'CONNECT_FAILED' });
  assert.equal(state.places.inFlight, 0);
});

test('a larger cap lets in who waits; a smaller one throws nobody out', async () => {
  const { handle, newCall, state } = stage({ maxConcurrent: 1 });
  await handle('a', newCall());
  const waiting = handle('b', newCall());
  state.configure({ ...bulkheadDefaults, maxConcurrent: 2 });
  assert.equal(await waiting, 'b');
  state.configure({ ...bulkheadDefaults, maxConcurrent: 1, maxQueued: 0 });
  assert.equal(state.places.inFlight, 2);
  await assert.rejects(handle('c', newCall()), { code: 'UNAVAILABLE' });
});
