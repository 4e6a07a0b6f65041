import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Latency } from './latency.ts';

const decayMs = 5_000;

test('nothing is known at first; a rise counts at once, a fall slowly', () => {
  const latency = new Latency();
  assert.equal(latency.at(0, decayMs), 0);
  latency.observe(5, 0, decayMs);
  assert.equal(latency.at(0, decayMs), 5);
  latency.observe(500, 10, decayMs);
  assert.equal(latency.at(10, decayMs), 500);
  latency.observe(5, 1_010, decayMs);
  const after = latency.at(1_010, decayMs);
  assert.ok(after > 400 && after < 420, `${after}`);
});

test('what was measured fades to a third in decayMs, so that who was slow is tried again', () => {
  const latency = new Latency();
  latency.observe(300, 0, decayMs);
  assert.ok(Math.abs(latency.at(decayMs, decayMs) - 300 / Math.E) < 1e-9);
});

test('it lies between the least and the largest of what was observed, and is never below the last peak’s trace', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 2_000 })), { minLength: 1 }),
      (observations) => {
        const latency = new Latency();
        let now = 0;
        let peaks: { at: number; ms: number }[] = [];
        for (const [ms, afterMs] of observations) {
          now += afterMs;
          latency.observe(ms, now, decayMs);
          peaks = [...peaks, { at: now, ms }];
          const value = latency.at(now, decayMs);
          const largest = Math.max(...peaks.map((peak) => peak.ms));
          const trace = Math.max(...peaks.map((peak) => peak.ms * Math.exp((peak.at - now) / decayMs)));
          assert.ok(value <= largest + 1e-9 && value >= trace - 1e-6, `${value}, peaks ${JSON.stringify(peaks)}`);
        }
      },
    ),
  );
});

test('who was asked and is silent is as slow as it has been silent; an answer of others ends the silence', () => {
  const latency = new Latency();
  latency.observe(5, 0, decayMs);
  latency.began(100);
  assert.ok(latency.at(102, decayMs) < 5);
  assert.equal(latency.at(400, decayMs), 300);
  latency.began(400);
  latency.ended(410);
  assert.equal(latency.at(450, decayMs), 40, 'one is still waited for');
  latency.ended(460);
  assert.ok(latency.at(5_000, decayMs) < 5, 'nobody waits any more');
});

test('a call that nobody waited for to the end took at least that long', () => {
  const latency = new Latency();
  latency.observe(50, 0, decayMs);
  latency.atLeast(10, 0, decayMs);
  assert.equal(latency.at(0, decayMs), 50);
  latency.atLeast(80, 0, decayMs);
  assert.equal(latency.at(0, decayMs), 80);
  latency.forget();
  assert.equal(latency.at(0, decayMs), 0);
});

test('an answer that takes no time is known all the same', () => {
  const latency = new Latency();
  latency.observe(0, 0, decayMs);
  assert.ok(latency.at(0, decayMs) > 0);
});
