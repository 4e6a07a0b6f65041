import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BulkWindow } from './bulk-window.ts';

/** Sends until it may not; each probe is echoed after `tookMs`. @returns bytes on their way at most */
function round(window: BulkWindow, now: number, tookMs: number): number {
  const echoes: { readonly probe: number; readonly at: number }[] = [];
  let sent = 0;
  const probe = (at: number): void => {
    const id = window.probe(at);
    if (id !== undefined) echoes.push({ probe: id, at: at + tookMs });
  };
  while (window.open) {
    window.sent(32_768);
    sent += 32_768;
    probe(now + sent / 1_000_000);
  }
  for (let echo = echoes.shift(); echo; echo = echoes.shift()) {
    assert.ok(window.echoed(echo.probe, echo.at));
    probe(echo.at);
  }
  assert.ok(window.open, 'a closed window opens again');
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
  window.sent(1_000_000);
  assert.equal(window.probe(0), 1);
  assert.equal(window.open, false);
  assert.equal(window.echoed(2, 0), false);
  assert.equal(window.echoed(1, 0), true);
  assert.equal(window.echoed(1, 0), false);
});

test('probes are not closer together than peers allow, yet there is always one to wait for', () => {
  const window = new BulkWindow();
  let probes = 0;
  const outstanding: number[] = [];
  for (let step = 0; step < 100_000; step++) {
    const now = step / 1_000; // 100 ms in all, 33 GB/s
    if (window.open) window.sent(32_768);
    const probe = window.probe(now);
    if (probe !== undefined) {
      outstanding.push(probe);
      probes++;
    }
    if (step % 10 === 0) window.echoed(outstanding.shift() ?? 0, now);
    assert.ok(window.open || outstanding.length > 0, 'closed for ever');
  }
  assert.ok(probes <= 100_000 / 10 + 2, `${probes}`);
});

test('a peer that never echoes is not waited for', () => {
  const window = new BulkWindow();
  window.sent(1_000_000);
  assert.equal(window.probe(0), 1);
  window.look(999);
  assert.equal(window.open, false);
  window.look(1_000);
  assert.equal(window.open, true);
  window.sent(100_000_000);
  assert.equal(window.probe(1_001), undefined);
  assert.equal(window.open, true);
});
