import type { Clock, Timer } from '@flotilla/core';

/** Changes that come within this are told together: a list of ten thousand is not made anew for each of a hundred events. */
export const gatherMs = 50;

/** Something that is done at once, and then at most every {@link gatherMs}: what comes in between is done together. */
export class Gathered {
  readonly #clock: Clock;
  readonly #work: () => void;
  #pause: Timer | undefined;
  #pending = false;

  constructor(clock: Clock, work: () => void) {
    this.#clock = clock;
    this.#work = work;
  }

  /** There is something to do. */
  soon(): void {
    if (this.#pause) {
      this.#pending = true;
      return;
    }
    const again = (): void => {
      this.#pause = undefined;
      if (!this.#pending) return;
      this.#pending = false;
      this.soon();
    };
    this.#pause = this.#clock.setTimer(gatherMs, again, { background: true });
    this.#work();
  }

  /** What is pending is not done any more. */
  drop(): void {
    this.#pending = false;
    this.#pause?.cancel();
    this.#pause = undefined;
  }
}
