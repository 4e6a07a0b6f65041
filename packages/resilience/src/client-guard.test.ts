import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, compose, FlotillaError, type Handler, idempotentAttribute } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import type { ClientGuard, GuardedOperation } from './client-guard.ts';
import type { GivenServicePolicies } from './client-policies.ts';
import { checkPolicies, Policies, type PoliciesConfig } from './policies.ts';

const get: GuardedOperation = { contract: 'orders', operation: 'get', streamed: false };
const put: GuardedOperation = { contract: 'orders', operation: 'put', streamed: false };

function stage(code: GivenServicePolicies = {}, config: PoliciesConfig = {}) {
  const clock = new ManualClock();
  const policies = new Policies({ clock, config });
  const guard = policies.client('orders', code);
  return { clock, policies, guard };
}

test('whoever runs the process has the last word; what is said of one counts more than what is said of all', () => {
  const places: readonly [string, GivenServicePolicies, PoliciesConfig][] = [
    ['the code', { timeoutMs: 1 }, {}],
    ['the code for the operation', { operations: { get: { timeoutMs: 2 } } }, {}],
    ['clients.*', {}, { clients: { '*': { timeoutMs: 3 } } }],
    ['clients.*.operations.get', {}, { clients: { '*': { operations: { get: { timeoutMs: 4 } } } } }],
    ['clients.orders', {}, { clients: { orders: { timeoutMs: 5 } } }],
    ['clients.orders.operations.get', {}, { clients: { orders: { operations: { get: { timeoutMs: 6 } } } } }],
  ];
  fc.assert(
    fc.property(fc.subarray([...places.keys()], { minLength: 1 }), (chosen) => {
      const code: Record<string, unknown> = {};
      const clients: Record<string, Record<string, unknown>> = {};
      for (const index of chosen) {
        const [, given, config] = places[index] ?? ['', {}, {}];
        Object.assign(code, given);
        for (const [name, value] of Object.entries(config.clients ?? {}))
          clients[name] = { ...clients[name], ...value };
      }
      const { guard } = stage(code, { clients });
      assert.equal(guard.of(get).timeoutMs, Math.max(...chosen) + 1);
    }),
  );
});

test('layers are joined value by value, and an operation may be named with its contract', () => {
  const { guard } = stage(
    { breaker: { openMs: 1_000, minCalls: 5 } },
    { clients: { orders: { breaker: { minCalls: 7 }, operations: { 'orders.get': { breaker: { trialCalls: 1 } } } } } },
  );
  const { openMs, minCalls, trialCalls } = guard.of(get).breaker;
  assert.deepEqual([openMs, minCalls, trialCalls], [1_000, 7, 1]);
  assert.equal(guard.of(put).breaker.trialCalls, 3);
});

test('with nothing configured a call meets these, in this order; what is switched on finds its place', () => {
  const namesOf = (guard: ClientGuard): string[] => guard.callFilters(get, {}).map(({ name }) => name);
  assert.deepEqual(namesOf(stage().guard), ['timeout', 'breaker', 'retry']);
  const all = stage({ bulkhead: { maxConcurrent: 5 }, rateLimit: { ratePerSecond: 5 } }).guard;
  assert.deepEqual(namesOf(all), ['rateLimit', 'timeout', 'bulkhead', 'breaker', 'retry']);
  assert.ok(all.callFilters(get, {}).every(({ reason }) => reason.length > 20));
  const off = stage({ bulkhead: { enabled: false, maxConcurrent: 5 }, breaker: { enabled: false } }).guard;
  assert.deepEqual(namesOf(off), ['timeout', 'retry']);
});

const lost = new FlotillaError('CONNECTION_LOST', 'gone');

function caller(guard: ClientGuard, clock: ManualClock, innermost: Handler<GuardedOperation, string>) {
  const handle = guard.callFilter<GuardedOperation, string>({ operationOf: (operation) => operation })(innermost);
  return (operation: GuardedOperation, idempotent = false): Promise<string> => {
    const call = new Call({ clock, random: seededRandom(1) });
    call.set(idempotentAttribute, idempotent);
    return handle(operation, call);
  };
}

const failing: Handler<GuardedOperation, string> = async (_request, call) => {
  call.end(lost);
  throw lost;
};

test('a changed configuration counts for the next call, and an open breaker stays open', async () => {
  const { clock, policies, guard } = stage({ breaker: { minCalls: 5 } });
  const ask = caller(guard, clock, failing);
  for (let index = 0; index < 5; index++) await assert.rejects(ask(get), { code: 'CONNECTION_LOST' });
  await assert.rejects(ask(get), { code: 'UNAVAILABLE' });
  policies.configure({ clients: { orders: { timeoutMs: 7 } } });
  assert.equal(guard.of(get).timeoutMs, 7);
  await assert.rejects(ask(get), { code: 'UNAVAILABLE' });
  policies.configure({ clients: { orders: { breaker: { enabled: false } } } });
  await assert.rejects(ask(get), { code: 'CONNECTION_LOST' });
  policies.configure({});
  await assert.rejects(ask(get), { code: 'UNAVAILABLE' }, 'switched on again it is the same one');
});

test('one broken operation leaves the others alone, unless the service has one breaker', async () => {
  for (const per of ['operation', 'service'] as const) {
    const { clock, guard } = stage({ breaker: { minCalls: 5, per } });
    const ask = caller(guard, clock, (request, call) => {
      if (request === get) return failing(request, call);
      call.end();
      return Promise.resolve('put');
    });
    for (let index = 0; index < 5; index++) await assert.rejects(ask(get), { code: 'CONNECTION_LOST' });
    if (per === 'operation') assert.equal(await ask(put), 'put');
    else await assert.rejects(ask(put), { code: 'UNAVAILABLE' });
  }
});

test('a place taken under one configuration is given back under another', async () => {
  const { clock, policies, guard } = stage({ bulkhead: { maxConcurrent: 1, maxQueued: 0 } });
  let finish = (): void => {};
  const ask = caller(guard, clock, (_request, call) => {
    finish = () => call.end();
    return Promise.resolve('open');
  });
  await ask(get);
  policies.configure({ clients: { '*': { timeoutMs: 9_000 } } });
  await assert.rejects(ask(get), { code: 'UNAVAILABLE' });
  finish();
  assert.equal(await ask(get), 'open');
});

test('a stream is not cut off by timeoutMs', async () => {
  const { clock, guard } = stage({ timeoutMs: 100 });
  const handle = compose(
    guard.callFilters<string, string>({ ...get, streamed: true }, {}).map(({ filter }) => filter),
    async (request) => request,
  );
  const call = new Call({ clock, random: seededRandom(1) });
  await handle('x', call);
  await clock.advance(1_000);
  assert.equal(call.cancelled, undefined);
});

test('numbers of an instance follow the configuration, also those of one operation', async () => {
  const { clock, policies, guard } = stage();
  const filters = guard.instanceFilters<GuardedOperation, string>(
    'orders at 10.0.0.7:80',
    { operationOf: (operation) => operation },
    (operation) => operation === put,
  );
  const handle = compose(
    filters.map(({ filter }) => filter),
    () => new Promise<string>(() => {}),
  );
  policies.configure({
    clients: {
      orders: { attemptTimeoutMs: 50, timeoutMs: 500, maxConcurrent: 2, operations: { get: { attemptTimeoutMs: 20 } } },
    },
  });
  const failed: string[] = [];
  const ask = (operation: GuardedOperation): void => {
    handle(operation, new Call({ clock, random: seededRandom(1) })).catch((error: FlotillaError) =>
      failed.push(`${operation.operation} ${error.code} ${clock.now()}`),
    );
  };
  ask(get);
  ask(put); // sent once: may take as long as the whole call
  ask(get);
  await clock.advance(20);
  await clock.advance(480);
  assert.deepEqual(failed, ['get UNAVAILABLE 0', 'get DEADLINE_EXCEEDED 20', 'put DEADLINE_EXCEEDED 500']);
});

test('clients of a process share a budget: together they stay within it', async () => {
  const clock = new ManualClock();
  const policies = new Policies({ clock });
  let attempts = 0;
  const clients = Array.from({ length: 20 }, (_, index) =>
    caller(policies.client(`service-${index}`, { retries: 10, backoffBaseMs: 0 }), clock, (request, call) => {
      attempts += 1;
      return failing(request, call);
    }),
  );
  for (const ask of clients) {
    for (let index = 0; index < 10; index++) {
      const failed = assert.rejects(ask(get, true));
      await clock.advance(0);
      await failed;
    }
  }
  // 20 clients × (100 from their reserves + 2 of ten requests) would be 2,040; the process allows 500 and a fifth of 200.
  assert.equal(attempts - 200, 540);
});

test('what does not fit is refused by its path, and changes nothing', () => {
  const { guard, policies } = stage();
  for (const [config, message] of [
    [
      { clients: { orders: { breaker: { minCalls: 0 } } } },
      /^clients\.orders: breaker\.minCalls must be a whole number from 1 to 1000000, got 0$/,
    ],
    [
      { clients: { '*': { operations: { get: { backoffBaseMs: 5_000 } } } } },
      /^clients\.\*\.operations\.get: backoffMaxMs must be at least backoffBaseMs \(5000\), got 1000$/,
    ],
    [
      { server: { concurrency: { minLimit: 9, maxLimit: 8 } } },
      /^server\.concurrency\.maxLimit must be at least concurrency\.minLimit \(9\), got 8$/,
    ],
  ] as const) {
    assert.throws(() => checkPolicies(config), { name: 'RangeError', message });
  }
  assert.throws(() => policies.client('x', { bulkhead: { maxQueued: -1 } }), /^RangeError: bulkhead\.maxQueued/);
  assert.throws(() => guard.configure([{ timeoutMs: -1 }]), RangeError);
  assert.equal(guard.service.timeoutMs, 30_000);
});

test('what is shown of a process: every policy with its settings, its state and its numbers', async () => {
  const { clock, policies, guard } = stage({ breaker: { minCalls: 5 }, operations: { put: { timeoutMs: 5 } } });
  const ask = caller(guard, clock, failing);
  for (let index = 0; index < 5; index++) await assert.rejects(ask(get));
  await assert.rejects(ask(put));
  await clock.advance(500);
  const view = policies.view();
  const [client] = view.clients;
  assert.deepEqual(client?.breakers, [
    { of: 'orders.get', state: 'open', calls: 0, failed: 0, slow: 0, forMs: 500 },
    { of: 'orders.put', state: 'closed', calls: 1, failed: 1, slow: 0 },
  ]);
  assert.deepEqual(Object.keys(client?.operations ?? {}), ['orders.put']);
  assert.equal(view.server.limit, 20);
  policies.release(guard);
  assert.deepEqual(policies.view().clients, []);
});

test('time-outs and the cap of an instance are told as events', async () => {
  const { clock, policies, guard } = stage({ timeoutMs: 100, attemptTimeoutMs: 40, maxConcurrent: 1 });
  const operationOf = (operation: GuardedOperation): GuardedOperation => operation;
  const never: Handler<GuardedOperation, string> = () => new Promise(() => {});
  const told = (): unknown[] =>
    policies.events.recent().map(({ policy, kind, target, operation }) => [policy, kind, target, operation]);
  const toInstance = compose(
    guard
      .instanceFilters<GuardedOperation, string>('orders at 10.0.0.7:80', { operationOf })
      .map(({ filter }) => filter),
    never,
  );
  const newCall = (deadline = Infinity): Call => new Call({ clock, random: seededRandom(1), deadline });
  const first = assert.rejects(toInstance(get, newCall()), { code: 'DEADLINE_EXCEEDED' });
  await assert.rejects(toInstance(put, newCall()), { code: 'UNAVAILABLE' });
  await clock.advance(40);
  await first;
  const toService = guard.callFilter<GuardedOperation, string>({ operationOf })(never);
  const whole = assert.rejects(toService(get, newCall()), { code: 'DEADLINE_EXCEEDED' });
  await clock.advance(100);
  await whole;
  await assert.rejects(toService(get, newCall(clock.now() + 1)), { code: 'DEADLINE_EXCEEDED', executed: 'no' });
  assert.deepEqual(told(), [
    ['concurrencyLimit', 'refused', 'orders at 10.0.0.7:80', 'orders.put'],
    ['timeout', 'attempt_expired', 'orders at 10.0.0.7:80', 'orders.get'],
    ['timeout', 'expired', 'orders', 'orders.get'],
    ['timeout', 'refused', 'orders', 'orders.get'],
  ]);
});

test('a configuration that does not fit together with the code is refused before anything has changed', () => {
  const policies = new Policies({ clock: new ManualClock() });
  const other = policies.client('other');
  const code = { backoffBaseMs: 500, backoffMaxMs: 800, operations: { list: { backoffBaseMs: 700 } } };
  const orders = policies.client('orders', code);
  const mistakes: readonly [PoliciesConfig, RegExp][] = [
    [
      { clients: { orders: { backoffMaxMs: 100 } } },
      /^clients\.orders, with what .*: backoffMaxMs must be at least .*500/,
    ],
    [
      { clients: { '*': { backoffMaxMs: 600 } } },
      /^clients\.orders, with what .*: backoffMaxMs must be at least .*700/,
    ],
    [{ clients: { orders: { operations: { find: { backoffMaxMs: 300 } } } } }, /backoffMaxMs must be at least .*500/],
  ];
  for (const [config, message] of mistakes) {
    checkPolicies(config); // fits by itself
    assert.throws(() => policies.check(config), { name: 'RangeError', message });
  }
  assert.equal(orders.service.backoffMaxMs, 800);
  policies.check({ clients: { orders: { backoffBaseMs: 50, backoffMaxMs: 900 }, '*': { retries: 1 } } });
  assert.deepEqual([orders.service.backoffMaxMs, other.service.retries], [800, 2], 'a check changes nothing');
});
