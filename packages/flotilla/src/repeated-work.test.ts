import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, currentCall, type FlotillaError, nullLogger, sleep } from '@flotilla/core';
import { ManualClock, settle } from '@flotilla/core/testing';
import { assertRepeat, repeatedWork } from './repeated-work.ts';

/** In the middle of the spread: exactly `everyMs`. */
const random = () => 0.5;

function repeated(work: (call: Call) => unknown, everyMs = 1_000) {
  const clock = new ManualClock();
  const warnings: unknown[] = [];
  const logger = { ...nullLogger, warn: (message: string) => void warnings.push(message) };
  const component = repeatedWork({ name: 'sweep', everyMs, timeoutMs: 5_000, work }, { clock, random, logger });
  return { clock, component, warnings };
}

test('work runs at the start, and again when its time has passed since it ended', async () => {
  let runs = 0;
  const { clock, component } = repeated(() => ++runs);
  await component.start();
  await settle();
  assert.equal(runs, 1);
  await clock.advance(999);
  assert.equal(runs, 1);
  await clock.advance(1);
  assert.equal(runs, 2);
  await component.stop('done');
  await clock.advance(10_000);
  assert.deepEqual([runs, clock.pendingTimers], [2, 0]);
});

test('a run that takes long is not joined by another one, and is cancelled at its time', async () => {
  const seen: unknown[] = [];
  const { clock, component, warnings } = repeated(async (call) => {
    seen.push('begins');
    await sleep(60_000, call).catch((reason: FlotillaError) => seen.push(reason.code));
  });
  await component.start();
  await clock.advance(4_999);
  assert.deepEqual(seen, ['begins']);
  await clock.advance(20);
  assert.deepEqual(seen, ['begins', 'DEADLINE_EXCEEDED']);
  assert.equal(warnings.length, 1);
  await component.stop('done');
});

test('a run that fails is logged and does not end the repeating', async () => {
  let runs = 0;
  const { clock, component, warnings } = repeated(() => {
    runs += 1;
    if (runs === 1) throw new Error('no');
  });
  await component.start();
  await clock.advance(1_000);
  assert.deepEqual([runs, warnings.length], [2, 1]);
  await component.stop('done');
});

test('clients inside a run find its call; the stop cancels it without a word in the log', async () => {
  let found: Call | undefined;
  let ended: unknown;
  const { component, warnings } = repeated(async (call) => {
    found = currentCall();
    assert.equal(found, call);
    await sleep(60_000, call).catch((reason: FlotillaError) => {
      ended = reason.code;
    });
  });
  await component.start();
  await settle();
  await component.stop('done');
  assert.equal(ended, 'CANCELLED');
  assert.deepEqual(warnings, []);
});

test('a time that cannot be kept is refused where it is written', () => {
  assert.throws(() => assertRepeat('sweep', { everyMs: 0 }), /everyMs of "sweep" must be a finite number/);
  assert.throws(() => assertRepeat('sweep', { everyMs: 1, timeoutMs: Number.NaN }), /timeoutMs of "sweep"/);
  assert.throws(() => assertRepeat('', { everyMs: 1 }), TypeError);
});
