import type { Clock } from '@flotilla/core';
import { ManualClock, settle } from '@flotilla/core/testing';
import { busyWithFiles } from './engines/busy.ts';

/**
 * Lets time flow while a test waits for something: whenever nothing else can go on, the manual clock jumps to the next
 * timer. So a time-out of ten seconds costs none, and the order of events is the same in each run. Where time passes by
 * itself it does nothing.
 */
export class FlowingTime {
  readonly #clock: ManualClock | undefined;
  #waiting = 0;
  #flowing = false;

  /** @param flows false: time moves only when the test moves it. */
  constructor(clock: Clock, flows: boolean) {
    this.#clock = flows && clock instanceof ManualClock ? clock : undefined;
  }

  /** Waits for `work` while time flows. */
  async until<T>(work: Promise<T>): Promise<T> {
    if (!this.#clock) return work;
    this.#waiting++;
    void this.#flow(this.#clock);
    try {
      return await work;
    } finally {
      this.#waiting--;
    }
  }

  async #flow(clock: ManualClock): Promise<void> {
    if (this.#flowing) return;
    this.#flowing = true;
    try {
      while (this.#waiting > 0) {
        await settle();
        if (this.#waiting === 0 || busyWithFiles()) continue;
        const nextAt = clock.nextTimerAt;
        if (nextAt !== undefined) await clock.advance(Math.max(0, nextAt - clock.now()));
      }
    } finally {
      this.#flowing = false;
    }
  }
}
