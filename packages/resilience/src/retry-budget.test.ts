import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRetryBudget, jointBudget, type RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';

const standard: RetryBudgetOptions = { fraction: 0.2, perSecond: 10, windowMs: 10_000 };

/** The same rule, written as a list of everything that ever happened. */
function naiveBudget({ fraction, perSecond, windowMs }: RetryBudgetOptions): RetryBudget {
  const slotMs = windowMs / 10;
  const requests: number[] = [];
  const retries: number[] = [];
  const counted = (slots: number[], now: number): number => {
    const slot = Math.floor(now / slotMs);
    return slots.filter((past) => past > slot - 10).length;
  };
  const available = (now: number): number => {
    const allowed = fraction * counted(requests, now) + (perSecond * windowMs) / 1_000 - counted(retries, now);
    return Math.max(0, Math.floor(allowed + 1e-9));
  };
  return {
    available,
    deposit: (now) => void requests.push(Math.floor(now / slotMs)),
    withdraw(now) {
      if (available(now) < 1) return false;
      retries.push(Math.floor(now / slotMs));
      return true;
    },
  };
}

test('the ring of slots agrees with the list of everything', () => {
  const steps = fc.array(
    fc.record({ kind: fc.constantFrom('deposit', 'withdraw'), afterMs: fc.integer({ min: 0, max: 4_000 }) }),
    { maxLength: 200 },
  );
  const options = fc.record({
    fraction: fc.double({ min: 0, max: 1, noNaN: true }),
    perSecond: fc.integer({ min: 0, max: 3 }),
    windowMs: fc.constantFrom(1_000, 10_000, 60_000),
  });
  fc.assert(
    fc.property(options, steps, fc.integer({ min: 0, max: 1_000_000 }), (budgetOptions, events, startAt) => {
      const ours = createRetryBudget(budgetOptions);
      const naive = naiveBudget(budgetOptions);
      let now = startAt;
      for (const { kind, afterMs } of events) {
        now += afterMs;
        if (kind === 'withdraw') assert.equal(ours.withdraw(now), naive.withdraw(now));
        else {
          ours.deposit(now);
          naive.deposit(now);
        }
        assert.equal(ours.available(now), naive.available(now));
      }
    }),
  );
});

test('at 100 % failure all attempts stay within 1.2 × requests + 10 per second', () => {
  const budget = createRetryBudget(standard);
  const [seconds, requestsPerSecond] = [60, 500];
  let attempts = 0;
  for (let index = 0; index < seconds * requestsPerSecond; index++) {
    const now = (index * 1_000) / requestsPerSecond;
    budget.deposit(now);
    attempts += 1;
    for (let retries = 0; retries < 2 && budget.withdraw(now); retries++) attempts += 1;
  }
  // The reserve of one window may be spent at its beginning, hence one window more than has passed.
  assert.ok(attempts <= 1.2 * seconds * requestsPerSecond + 10 * (seconds + 10), `${attempts} attempts`);
  assert.ok(attempts >= 1.2 * seconds * requestsPerSecond, `the budget is used: ${attempts} attempts`);
});

test('five requests pay for one retry when there is no reserve', () => {
  const budget = createRetryBudget({ ...standard, perSecond: 0 });
  for (let request = 0; request < 4; request++) budget.deposit(0);
  assert.equal(budget.withdraw(0), false);
  budget.deposit(0);
  assert.equal(budget.withdraw(0), true);
  assert.equal(budget.withdraw(0), false);
});

test('a quiet caller has its reserve again after a window', () => {
  const budget = createRetryBudget(standard);
  while (budget.withdraw(0));
  assert.equal(budget.available(9_999), 0);
  assert.equal(budget.available(10_000), 100);
});

test('a clock that steps back gives nothing away', () => {
  const budget = createRetryBudget({ ...standard, perSecond: 0 });
  for (let request = 0; request < 5; request++) budget.deposit(50_000);
  assert.equal(budget.withdraw(20_000), true);
  assert.equal(budget.withdraw(50_000), false);
});

test('a joint budget gives what both give, and takes from neither what the other refuses', () => {
  const steps = fc.array(
    fc.record({ client: fc.integer({ min: 0, max: 2 }), kind: fc.constantFrom('deposit', 'withdraw') }),
    {
      maxLength: 200,
    },
  );
  const options: RetryBudgetOptions = { fraction: 0.5, perSecond: 0, windowMs: 10_000 };
  fc.assert(
    fc.property(steps, (events) => {
      const shared = createRetryBudget({ ...options, fraction: 0.3 });
      const clients = [0, 1, 2].map(() => jointBudget(createRetryBudget(options), shared));
      const requests = [0, 0, 0];
      const retries = [0, 0, 0];
      const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
      for (const { client, kind } of events) {
        if (kind === 'deposit') {
          clients[client]?.deposit(0);
          requests[client] = (requests[client] ?? 0) + 1;
          continue;
        }
        const own = Math.floor(0.5 * (requests[client] ?? 0) - (retries[client] ?? 0) + 1e-9);
        const all = Math.floor(0.3 * sum(requests) - sum(retries) + 1e-9);
        const expected = own >= 1 && all >= 1;
        assert.equal(clients[client]?.withdraw(0), expected);
        if (expected) retries[client] = (retries[client] ?? 0) + 1;
      }
    }),
  );
});
