import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Registration } from '@flotilla/core';
import { ManualClock, settle } from '@flotilla/core/testing';
import { callersNoticed } from './drain-notice.ts';

const limitMs = 5_000;

/** When it was over. */
async function over(noticed: Registration['noticed'], advances: readonly number[]): Promise<number | undefined> {
  const clock = new ManualClock();
  const from = clock.now();
  let at: number | undefined;
  const registration = { ...(noticed && { noticed }) } as Registration;
  void callersNoticed(registration, limitMs, clock).then(() => {
    at = clock.now() - from;
  });
  for (const ms of advances) {
    await clock.advance(ms);
    await settle();
  }
  return at;
}

test('it is over as soon as all callers know', async () => {
  assert.equal(await over(async () => true, [0]), 0);
});

test('where nobody can tell, the limit counts, to the millisecond', async () => {
  for (const noticed of [undefined, async () => false]) {
    assert.equal(await over(noticed, [limitMs - 1]), undefined);
    assert.equal(await over(noticed, [limitMs - 1, 1]), limitMs);
  }
});

test('a registry that never answers costs no more than the limit', async () => {
  assert.equal(await over(() => new Promise(() => {}), [limitMs]), limitMs);
});

test('no limit: no wait', async () => {
  const clock = new ManualClock();
  await callersNoticed({} as Registration, 0, clock);
  await callersNoticed(undefined, limitMs, clock);
});
