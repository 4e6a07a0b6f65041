import { type Clock, type DeadlineEntry, type DeadlineWheel, wheelOf } from '@flotilla/core';

/** Looks at something again and again, on the wheel of its clock, until it is stopped. */
export class Watch implements DeadlineEntry {
  deadline: number;
  readonly #clock: Clock;
  readonly #wheel: DeadlineWheel;
  readonly #everyMs: number;
  readonly #look: (now: number) => void;
  #stopped = false;

  constructor(clock: Clock, everyMs: number, look: (now: number) => void) {
    this.#clock = clock;
    this.#wheel = wheelOf(clock);
    this.#everyMs = everyMs;
    this.#look = look;
    this.deadline = clock.now() + everyMs;
    this.#wheel.add(this);
  }

  expire(): void {
    const now = this.#clock.now();
    this.#look(now);
    if (this.#stopped) return;
    this.deadline = now + this.#everyMs;
    this.#wheel.add(this);
  }

  stop(): void {
    this.#stopped = true;
    this.#wheel.remove(this);
  }
}
