import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LatencyWindow } from './latency-window.ts';

const windowMs = 1_000;

/** The sample itself, out of a sorted list of everything that counts. */
function exact(
  samples: readonly { readonly at: number; readonly ms: number }[],
  share: number,
  now: number,
): number | undefined {
  const window = Math.floor(now / windowMs);
  const counting = samples.filter(({ at }) => Math.floor(at / windowMs) >= window - 1).map(({ ms }) => ms);
  counting.sort((a, b) => a - b);
  return counting[Math.ceil(share * counting.length) - 1];
}

test('a quantile is the sample of that rank, at most 5 % above and never below', () => {
  const sample = fc.record({
    afterMs: fc.integer({ min: 0, max: 700 }),
    ms: fc.double({ min: 0.1, max: 99_000, noNaN: true }),
  });
  const share = fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 1);
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 200 }), share, (steps, wanted) => {
      const window = new LatencyWindow(windowMs);
      const samples: { at: number; ms: number }[] = [];
      let now = 0;
      for (const { afterMs, ms } of steps) {
        now += afterMs;
        window.record(ms, now);
        samples.push({ at: now, ms });
        const real = exact(samples, wanted, now) as number;
        const told = window.quantile(wanted, now) as number;
        assert.ok(told >= real * (1 - 1e-9) && told <= real * 1.05 * (1 + 1e-6), `${told} for ${real}`);
      }
    }),
  );
});

test('without samples there is none, and old ones are forgotten', () => {
  const window = new LatencyWindow(windowMs);
  assert.equal(window.quantile(0.95, 0), undefined);
  window.record(10, 0);
  assert.equal(window.count(1_999), 1);
  assert.equal(window.count(2_000), 0);
  assert.equal(window.quantile(0.95, 2_000), undefined);
});

test('a clock that steps back, and what is no latency, change nothing for the worse', () => {
  const window = new LatencyWindow(windowMs);
  window.record(10, 5_000);
  window.record(10, 100);
  window.record(Number.NaN, 5_000);
  window.record(-1, 5_000);
  window.record(Infinity, 5_000);
  assert.equal(window.count(5_000), 5);
  assert.ok((window.quantile(1, 5_000) as number) > 99_000);
});
