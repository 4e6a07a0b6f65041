import { type Clock, systemClock, type Timer } from '@flotilla/core';

/** The machine's clock, which knows how many timers of its users are pending. */
export interface CountingClock extends Clock {
  readonly pendingTimers: number;
}

export function countingClock(): CountingClock {
  const pending = new Set<Timer>();
  return {
    now: () => systemClock.now(),
    wallNow: () => systemClock.wallNow(),
    setTimer(delayMs, fire, options) {
      const timer = systemClock.setTimer(
        delayMs,
        () => {
          pending.delete(own);
          fire();
        },
        options,
      );
      const own: Timer = {
        cancel() {
          pending.delete(own);
          timer.cancel();
        },
      };
      pending.add(own);
      return own;
    },
    get pendingTimers() {
      return pending.size;
    },
  };
}
