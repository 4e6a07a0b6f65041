import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, compose, FlotillaError, idempotentAttribute } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { clientFilters, instanceFilters } from './composition.ts';

test('a call meets timeout, then retry, then the cluster', () => {
  assert.deepEqual(
    clientFilters().map(({ name }) => name),
    ['timeout', 'retry'],
  );
});

test('an attempt meets the cap, then its own timeout, then the instance', () => {
  assert.deepEqual(
    instanceFilters({ name: 'orders' }).map(({ name }) => name),
    ['concurrencyLimit', 'attemptTimeout'],
  );
});

test('each line has a reason', () => {
  for (const { reason } of [...clientFilters(), ...instanceFilters({ name: 'orders' })]) assert.ok(reason.length > 20);
});

test('with nothing configured, a stalled attempt is given up and a second one answers', async () => {
  const clock = new ManualClock();
  let attempts = 0;
  const instance = compose(
    instanceFilters<string, string>({ name: 'orders' }).map(({ filter }) => filter),
    async (request, call) => {
      attempts += 1;
      if (attempts === 1) return new Promise<string>(() => {});
      call.end();
      return request;
    },
  );
  const client = compose(
    clientFilters<string, string>().map(({ filter }) => filter),
    instance,
  );
  const call = new Call({ clock, random: seededRandom(1) });
  call.set(idempotentAttribute, true);
  const answer = client('x', call);
  await clock.advance(10_000);
  await clock.advance(25);
  assert.equal(await answer, 'x');
  assert.equal(attempts, 2);
  assert.equal(call.ended, true);
});

test('with nothing configured, a call that nobody can answer fails within its time', async () => {
  const clock = new ManualClock();
  const client = compose(
    clientFilters<string, string>().map(({ filter }) => filter),
    async () => {
      throw new FlotillaError('CONNECT_FAILED', 'refused');
    },
  );
  const failed = assert.rejects(client('x', new Call({ clock, random: seededRandom(1) })), { code: 'CONNECT_FAILED' });
  await clock.advance(75);
  await failed;
});

test('a setting that does not fit is refused when the chain is built', () => {
  assert.throws(() => clientFilters({ timeoutMs: 0 }), /^RangeError: timeoutMs must be greater than 0, got 0$/);
  assert.throws(() => instanceFilters({ name: 'x', maxConcurrent: -1 }), /^RangeError: maxConcurrent/);
});

for (const [what, timeoutMs, attemptTimeoutMs, callersMs] of [
  ['of the client', 100, 60, undefined],
  ['of the client, sooner than that of an attempt', 100, 1_000, undefined],
  ['of its caller', 1_000, 1_000, 100],
] as const) {
  test(`an instance that says nothing keeps nobody beyond the deadline ${what}`, async () => {
    const clock = new ManualClock();
    const filters = [
      ...clientFilters<string, string>({ timeoutMs, prompt: true }),
      ...instanceFilters<string, string>({ name: 'a', attemptTimeoutMs, callsEnd: true }),
    ].map(({ filter }) => filter);
    const silent = compose<string, string>(filters, () => new Promise(() => {}));
    const deadline = callersMs === undefined ? undefined : clock.now() + callersMs;
    const call = new Call({ clock, random: seededRandom(1), deadline });
    call.set(idempotentAttribute, false);
    const answer = assert.rejects(silent('x', call), { code: 'DEADLINE_EXCEEDED' });
    await clock.advance(120);
    await answer;
    assert.equal(call.ended, true);
  });
}
