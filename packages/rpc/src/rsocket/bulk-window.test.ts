import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BulkWindow } from './bulk-window.ts';

/** Sends until it may not, then lets all probes be echoed after `tookMs`. @returns bytes sent */
function round(window: BulkWindow, now: number, tookMs: number): number {
  const probes: number[] = [];
  let sent = 0;
  while (window.open) {
    const probe = window.sent(32_768, now);
    if (probe !== undefined) probes.push(probe);
    sent += 32_768;
  }
  assert.ok(probes.length > 0, 'a closed window can open again');
  for (const probe of probes) assert.ok(window.echoed(probe, now + tookMs));
  return sent;
}

test('no more than the window is on its way', () => {
  const window = new BulkWindow();
  assert.ok(round(window, 0, 1) <= 262_144 + 32_768);
  assert.ok(window.open);
});

test('a peer that keeps up gets more, one that falls behind less, between two bounds', () => {
  const window = new BulkWindow();
  for (let n = 0; n < 500; n++) round(window, n * 10, 1);
  assert.equal(window.bytes, 8_388_608);
  for (let n = 0; n < 100; n++) round(window, 10_000 + n * 100, 50);
  assert.equal(window.bytes, 131_072);
});

test('an echo that nobody waits for does nothing', () => {
  const window = new BulkWindow();
  assert.equal(window.echoed(1, 0), false);
  window.sent(1_000_000, 0);
  assert.equal(window.open, false);
  assert.equal(window.echoed(2, 0), false);
  assert.equal(window.echoed(1, 0), true);
  assert.equal(window.echoed(1, 0), false);
});

test('a peer that never echoes is not waited for', () => {
  const window = new BulkWindow();
  window.sent(1_000_000, 0);
  window.look(999);
  assert.equal(window.open, false);
  window.look(1_000);
  assert.equal(window.open, true);
  assert.equal(window.sent(100_000_000, 1_001), undefined);
  assert.equal(window.open, true);
});
