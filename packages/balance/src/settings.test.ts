import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balanceDefaults, type PartialBalanceSettings, resolveBalance } from './settings.ts';

test('the defaults are these', () => {
  assert.deepEqual(balanceDefaults, {
    outlier: {
      consecutiveFailures: 5,
      maxFailureFraction: 0.5,
      minOutcomes: 20,
      windowMs: 10_000,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjectedFraction: 0.3,
      panicFraction: 0.5,
    },
    firstSetTimeoutMs: 10_000,
    maxWaiting: 1_000,
  });
  assert.ok(Object.isFrozen(balanceDefaults) && Object.isFrozen(balanceDefaults.outlier));
});

test('an explicit undefined counts as absent', () => {
  assert.deepEqual(resolveBalance({ maxWaiting: undefined, outlier: { windowMs: undefined } }), balanceDefaults);
  assert.equal(resolveBalance({ outlier: { windowMs: 1 } }).outlier.windowMs, 1);
});

const misfits: readonly [PartialBalanceSettings, RegExp][] = [
  [{ outlier: { consecutiveFailures: 0 } }, /^outlier.consecutiveFailures must be at least 1, got 0$/],
  [{ outlier: { maxFailureFraction: 0 } }, /^outlier.maxFailureFraction must be greater than 0, up to 1, got 0$/],
  [{ outlier: { minOutcomes: Number.NaN } }, /^outlier.minOutcomes must be at least 1, got NaN$/],
  [{ outlier: { windowMs: Infinity } }, /^outlier.windowMs must be finite/],
  [{ outlier: { baseEjectionMs: 0 } }, /^outlier.baseEjectionMs must be/],
  [{ outlier: { maxEjectionMs: -1 } }, /^outlier.maxEjectionMs must be greater than 0, got -1$/],
  [{ outlier: { maxEjectedFraction: 1.5 } }, /^outlier.maxEjectedFraction must be from 0 to 1, got 1.5$/],
  [{ outlier: { panicFraction: -0.1 } }, /^outlier.panicFraction must be/],
  [{ firstSetTimeoutMs: 0 }, /^firstSetTimeoutMs must be finite and greater than 0, got 0$/],
  [{ maxWaiting: -1 }, /^maxWaiting must be from 0 on, got -1$/],
];

for (const [options, message] of misfits) {
  test(`${JSON.stringify(options)} is refused by name`, () => {
    assert.throws(() => resolveBalance(options), { name: 'RangeError', message });
  });
}
