import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PartialSettings, resilienceDefaults, resolveResilience } from './settings.ts';

test('the defaults are these', () => {
  assert.deepEqual(resilienceDefaults, {
    timeoutMs: 30_000,
    attemptTimeoutMs: 10_000,
    minRemainingMs: 5,
    retries: 2,
    backoffBaseMs: 25,
    backoffMaxMs: 1_000,
    retryBudgetFraction: 0.2,
    retryBudgetPerSecond: 10,
    retryBudgetWindowMs: 10_000,
    maxConcurrent: 1_000,
  });
  assert.ok(Object.isFrozen(resilienceDefaults));
});

test('an explicit undefined counts as absent, and the result is frozen', () => {
  const settings = resolveResilience({ timeoutMs: undefined, retries: 1 });
  assert.deepEqual(settings, { ...resilienceDefaults, retries: 1 });
  assert.ok(Object.isFrozen(settings));
});

const misfits: readonly [PartialSettings, RegExp][] = [
  [{ timeoutMs: 0 }, /^timeoutMs must be greater than 0, got 0$/],
  [{ timeoutMs: Number.NaN }, /^timeoutMs must be greater than 0, got NaN$/],
  [{ attemptTimeoutMs: -1 }, /^attemptTimeoutMs must be greater than 0, got -1$/],
  [{ minRemainingMs: Infinity }, /^minRemainingMs must be a finite number from 0 on/],
  [{ retries: 1.5 }, /^retries must be a whole number from 0 to 10, got 1.5$/],
  [{ retries: 11 }, /^retries must be/],
  [{ backoffBaseMs: -1 }, /^backoffBaseMs must be/],
  [{ backoffBaseMs: 2_000 }, /^backoffMaxMs must be at least backoffBaseMs \(2000\), got 1000$/],
  [{ retryBudgetFraction: 1.1 }, /^retryBudgetFraction must be from 0 to 1, got 1.1$/],
  [{ retryBudgetPerSecond: Number.NaN }, /^retryBudgetPerSecond must be/],
  [{ retryBudgetWindowMs: 0 }, /^retryBudgetWindowMs must be finite and greater than 0, got 0$/],
  [{ maxConcurrent: 0 }, /^maxConcurrent must be a whole number greater than 0, or Infinity, got 0$/],
];

for (const [options, message] of misfits) {
  test(`${JSON.stringify(options)} is refused by name`, () => {
    assert.throws(() => resolveResilience(options), { name: 'RangeError', message });
  });
}
