import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@flotilla/core/testing';
import { Histogram } from './histogram.ts';

function naiveQuantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1] ?? 0;
}

test('quantiles are those of the sorted list, never below and at most 1.6 % above', () => {
  const random = seededRandom(11);
  const values = Array.from({ length: 20_000 }, () => 10 ** (random() * 8 - 3)); // 1 µs to 100 s
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  for (const fraction of [0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = Math.round(naiveQuantile(values, fraction) * 1_000) / 1_000;
    const got = histogram.quantileMs(fraction);
    assert.ok(got >= exact && got <= exact * 1.016 + 0.001, `${fraction}: ${got} for ${exact}`);
  }
  assert.equal(histogram.maxMs, Math.round(Math.max(...values) * 1_000) / 1_000);
});

test('what is too large for a slot keeps its place in the maximum', () => {
  const histogram = new Histogram();
  histogram.record(1);
  histogram.record(10_000_000);
  assert.equal(histogram.maxMs, 10_000_000);
  assert.equal(histogram.quantileMs(0.5), 1.007);
});

test('two histograms added are the histogram of both', () => {
  const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (const value of [0.1, 5, 700]) for (const one of [a, both]) one.record(value);
  for (const value of [0.2, 90, 80_000]) for (const one of [b, both]) one.record(value);
  a.add(b);
  assert.deepEqual([a.count, a.maxMs], [6, 80_000]);
  for (const fraction of [0.2, 0.5, 0.9, 1]) assert.equal(a.quantileMs(fraction), both.quantileMs(fraction));
});

test('nothing recorded is zero everywhere', () => {
  const histogram = new Histogram();
  assert.deepEqual([histogram.count, histogram.maxMs, histogram.quantileMs(0.99)], [0, 0, 0]);
});
