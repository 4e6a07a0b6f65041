import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Call } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { Patience } from './patience.ts';

function waiting(headTimeoutMs: number): { clock: ManualClock; call: Call; patience: Patience } {
  const clock = new ManualClock();
  const call = new Call({ clock, random: seededRandom(5) });
  return { clock, call, patience: new Patience(call, headTimeoutMs) };
}

describe('patience', () => {
  it('ends when no head came in time, counted from the last byte of the request', async () => {
    const { clock, call, patience } = waiting(100);
    await clock.advance(60);
    patience.touch();
    await clock.advance(90);
    assert.equal(reasonOf(call), '');
    await clock.advance(10);
    assert.match(reasonOf(call), /^DEADLINE_EXCEEDED: .* 100 ms; see headTimeoutMs$/);
  });

  it('counts from the last byte of either body once the head is here', async () => {
    const { clock, call, patience } = waiting(100);
    patience.flowing(1_000);
    for (let i = 0; i < 5; i++) {
      await clock.advance(900);
      patience.touch();
    }
    await clock.advance(990);
    assert.equal(reasonOf(call), '');
    await clock.advance(10);
    assert.match(reasonOf(call), /1000 ms; see idleTimeoutMs$/);
  });

  it('is over with the call, and leaves nothing on the wheel but its one timer', async () => {
    const { clock, call, patience } = waiting(100);
    call.end();
    patience.flowing(1_000);
    await clock.advance(10_000);
    assert.equal(reasonOf(call), '');
    assert.equal(clock.pendingTimers, 0);
  });
});

function reasonOf({ cancelled }: Call): string {
  return cancelled?.message ?? '';
}
