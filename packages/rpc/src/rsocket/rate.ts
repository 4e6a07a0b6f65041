/** Counts what comes within a second. A window begins with the first event after the one before has ended. */
export class Rate {
  readonly #limit: number;
  #beganAt = -Infinity;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** One more. @returns whether it is within the limit */
  count(now: number): boolean {
    if (now - this.#beganAt >= 1_000) {
      this.#beganAt = now;
      this.#count = 0;
    }
    return ++this.#count <= this.#limit;
  }
}
