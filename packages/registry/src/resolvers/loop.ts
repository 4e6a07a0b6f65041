import { Backoff, Call, type Clock, FlotillaError, type Random, type Timer } from '@flotilla/core';

/** Time and randomness, as everything here is given them. */
export interface Moment {
  readonly clock: Clock;
  readonly random: Random;
}

/** What a {@link Loop} does. */
export interface LoopWork {
  /** One step. @returns how long to wait for the next one, in milliseconds. */
  step(call: Call): Promise<number>;
  /** Told of each step that failed, unless the loop was closed; the next one comes after a backoff. */
  failed(thrown: unknown): void;
}

/** Work that goes on, step after step, until it is closed. */
export class Loop {
  readonly #moment: Moment;
  readonly #work: LoopWork;
  readonly #backoff: Backoff;
  readonly #call: Call;
  #pause: { timer: Timer; done: () => void } | undefined;
  /** Woken while a step was going on: what it saw may be old. */
  #woken = false;

  /** The first step begins at once. */
  constructor(moment: Moment, work: LoopWork) {
    this.#moment = moment;
    this.#work = work;
    this.#backoff = new Backoff(moment.random);
    this.#call = new Call(moment);
    void this.#run();
  }

  get closed(): boolean {
    return this.#call.cancelled !== undefined;
  }

  /** The present pause is over; during a step, the one after it. */
  wake(): void {
    if (!this.#pause) this.#woken = true;
    this.#pause?.timer.cancel();
    this.#pause?.done();
  }

  close(): void {
    this.#call.cancel(new FlotillaError('CANCELLED', 'nobody follows this any more'));
    this.#call.end();
    this.wake();
  }

  async #run(): Promise<void> {
    while (!this.closed) await this.#wait(await this.#step());
  }

  async #step(): Promise<number> {
    try {
      const waitMs = await this.#work.step(this.#call);
      this.#backoff.reset();
      return waitMs;
    } catch (thrown) {
      if (!this.closed) this.#work.failed(thrown);
      return this.#backoff.nextMs();
    }
  }

  #wait(delayMs: number): Promise<void> {
    if (this.closed || this.#woken || delayMs === 0) {
      this.#woken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = (): void => {
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: this.#moment.clock.setTimer(delayMs, done, { background: true }), done };
    });
  }
}
