import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, type ErrorDetails, FlotillaError } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import type { PolicyEvent } from './events.ts';
import { type FallbackOptions, fallback, isOutage } from './fallback.ts';

const clock = new ManualClock();
const newCall = (): Call => new Call({ clock, random: seededRandom(1) });

function stage(error: FlotillaError | undefined, given: Partial<FallbackOptions<string, string>> = {}) {
  const events: PolicyEvent[] = [];
  const handle = fallback<string, string>({
    answer: (failure, request) => `${request} instead of ${failure.code}`,
    target: 'orders',
    operation: 'orders.get',
    events: { report: (event) => events.push(event) },
    ...given,
  })(async (request) => {
    if (error) throw error;
    return request;
  });
  return { handle, events };
}

test('an answer is passed on as it is', async () => {
  const { handle, events } = stage(undefined);
  assert.equal(await handle('x', newCall()), 'x');
  assert.deepEqual(events, []);
});

test('when nobody could answer, the fallback does', async () => {
  const { handle, events } = stage(new FlotillaError('UNAVAILABLE', 'the breaker is open'));
  assert.equal(await handle('x', newCall()), 'x instead of UNAVAILABLE');
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['used'],
  );
});

test('what a fallback throws is the answer', async () => {
  const { handle, events } = stage(new FlotillaError('UNAVAILABLE', ''), {
    answer: () => {
      throw new FlotillaError('NO_INSTANCE', 'neither');
    },
  });
  await assert.rejects(handle('x', newCall()), { code: 'NO_INSTANCE' });
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['failed'],
  );
});

test('it can be for other errors', async () => {
  const { handle } = stage(new FlotillaError('NOT_FOUND', ''), { when: ({ code }) => code === 'NOT_FOUND' });
  assert.equal(await handle('x', newCall()), 'x instead of NOT_FOUND');
});

const rows: readonly [string, ErrorDetails, boolean][] = [
  ['CONNECT_FAILED', {}, true],
  ['CONNECTION_LOST', {}, true],
  ['DEADLINE_EXCEEDED', {}, true],
  ['UNAVAILABLE', {}, true],
  ['RATE_LIMITED', {}, true],
  ['NO_INSTANCE', {}, true],
  ['INTERNAL', { fromPeer: true }, true],
  ['INTERNAL', {}, false],
  ['INVALID_INPUT', { fromPeer: true }, false],
  ['NOT_FOUND', { fromPeer: true, executed: 'yes' }, false],
  ['CANCELLED', {}, false],
];
for (const [code, details, outage] of rows) {
  test(`${code}${details.fromPeer ? ' of the service' : ''} is ${outage ? 'an' : 'no'} outage`, () => {
    assert.equal(isOutage(new FlotillaError(code, '', details)), outage);
  });
}
