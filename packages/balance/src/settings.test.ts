import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balanceDefaults, type PartialBalanceSettings, resolveBalance } from './settings.ts';

test('the defaults are these', () => {
  assert.deepEqual(balanceDefaults, {
    pick: 'peak-ewma',
    decayMs: 5_000,
    failureMs: 1_000,
    warmUpMs: 30_000,
    maxLoad: 1.25,
    maxKeys: 10_000,
    sameInstance: false,
    subset: { size: 0, seat: -1 },
    zone: { prefer: true, overprovision: 1.4 },
    lane: { baggage: 'flotilla.lane', metadata: 'lane' },
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
  [{ pick: 'best' as 'hash' }, /^pick must be one of random, round-robin, .*, sticky, got best$/],
  [{ decayMs: 0 }, /^decayMs must be finite and greater than 0, got 0$/],
  [{ failureMs: -1 }, /^failureMs must be from 0 on, got -1$/],
  [{ warmUpMs: 3_600_001 }, /^warmUpMs must be from 0 to 3600000, got 3600001$/],
  [{ maxLoad: 1 }, /^maxLoad must be greater than 1, got 1$/],
  [{ maxKeys: 0 }, /^maxKeys must be a whole number from 1 to 1000000, got 0$/],
  [{ sameInstance: 'yes' as unknown as boolean }, /^sameInstance must be true or false, got yes$/],
  [{ subset: { size: 1.5 } }, /^subset.size must be a whole number from 0 on, got 1.5$/],
  [{ subset: { seat: -2 } }, /^subset.seat must be a whole number from -1 on, got -2$/],
  [{ zone: { overprovision: 0.9 } }, /^zone.overprovision must be at least 1, got 0.9$/],
  [{ lane: { baggage: 'x'.repeat(129) } }, /^lane.baggage must be text of at most 128 characters/],
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
