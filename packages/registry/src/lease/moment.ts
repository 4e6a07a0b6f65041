import type { Clock } from '@flotilla/core';

/** One instant, on both clocks: rules compare `at`; `wallAt` is shown and sent. */
export interface Moment {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Milliseconds since the Unix epoch. */
  readonly wallAt: number;
}

export function momentOf(clock: Clock): Moment {
  return { at: clock.now(), wallAt: Math.floor(clock.wallNow()) };
}
