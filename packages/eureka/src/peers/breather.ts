import type { Clock } from '@flotilla/core';

/** Instances that are looked at in one turn of the loop: some milliseconds, so that renewals do not wait. */
const perTurn = 200;

/** Lets others work now and then while all instances are looked at. */
export class Breather {
  readonly #clock: Clock;
  #looked = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call it for each instance; await what it returns. */
  next(): Promise<void> | undefined {
    if (++this.#looked % perTurn !== 0) return undefined;
    return new Promise((resolve) => this.#clock.setTimer(0, resolve));
  }
}
