import type { Clock, Timer } from '@flotilla/core';

/** A peer that goes on asking nevertheless is cut off. */
const longestMs = 1_000;

/** What {@link Drain} needs. */
export interface DrainOptions {
  readonly clock: Clock;
  /** It closes when no request has come for this long: longer than a notice takes to its peer. */
  readonly quietMs: number;
  /** Is no request in hand, in either direction? */
  readonly isDone: () => boolean;
  /** Requests of the peer that were refused so far. */
  readonly refused: () => number;
  /** Calls back when all has been sent. */
  readonly whenSent: (run: () => void) => void;
  readonly close: () => void;
}

/**
 * The end of a connection in good order: work in hand ends, all is sent, and no request has come for a while. One that
 * was on its way when the peer heard of the drain still gets its REJECTED, which tells it that nothing was done.
 */
export class Drain {
  readonly #options: DrainOptions;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: DrainOptions) {
    this.#options = options;
    this.look();
  }

  /** Work has ended: is this the end of all of it? */
  look(): void {
    if (this.#mayNotClose) return;
    this.#options.whenSent(() => {
      if (!this.#mayNotClose) this.#closeWhenQuiet(this.#options.clock.now() + longestMs);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  get #mayNotClose(): boolean {
    return this.#stopped || this.#timer !== undefined || !this.#options.isDone();
  }

  #closeWhenQuiet(until: number): void {
    const { clock, quietMs, refused, close } = this.#options;
    const before = refused();
    this.#timer = clock.setTimer(quietMs, () => {
      if (this.#stopped) return;
      if (refused() !== before && clock.now() < until) this.#closeWhenQuiet(until);
      else close();
    });
  }
}
