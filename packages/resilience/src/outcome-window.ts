/** How the calls of the last while ended. */
export interface OutcomeWindow {
  /** One more outcome. */
  add(now: number, failed: boolean, slow: boolean): void;
  /** Forgets what no longer counts at `now`. */
  turn(now: number): void;
  readonly calls: number;
  readonly failed: number;
  readonly slow: number;
}

/** The last `size` outcomes, whenever they were: a ring of two bits each, and their sums. */
export class CallWindow implements OutcomeWindow {
  readonly #marks: Uint8Array;
  #next = 0;
  calls = 0;
  failed = 0;
  slow = 0;

  constructor(size: number) {
    this.#marks = new Uint8Array(size);
  }

  add(_now: number, failed: boolean, slow: boolean): void {
    if (this.calls === this.#marks.length) this.#forget(this.#marks[this.#next] ?? 0);
    this.#marks[this.#next] = (failed ? 1 : 0) + (slow ? 2 : 0);
    this.#next = (this.#next + 1) % this.#marks.length;
    this.calls += 1;
    if (failed) this.failed += 1;
    if (slow) this.slow += 1;
  }

  turn(): void {}

  #forget(mark: number): void {
    this.calls -= 1;
    if ((mark & 1) !== 0) this.failed -= 1;
    if ((mark & 2) !== 0) this.slow -= 1;
  }
}

const slots = 10;

/**
 * The outcomes of the last `windowMs`, in ten slots, and their sums. An outcome counts for at least nine tenths of the
 * window and at most the whole of it.
 */
export class TimeWindow implements OutcomeWindow {
  readonly #slotMs: number;
  readonly #calls = new Float64Array(slots);
  readonly #failed = new Float64Array(slots);
  readonly #slow = new Float64Array(slots);
  #newest = Number.NEGATIVE_INFINITY;
  calls = 0;
  failed = 0;
  slow = 0;

  constructor(windowMs: number) {
    this.#slotMs = windowMs / slots;
  }

  add(now: number, failed: boolean, slow: boolean): void {
    this.turn(now);
    const index = modulo(this.#newest);
    this.#calls[index] = (this.#calls[index] ?? 0) + 1;
    this.calls += 1;
    if (failed) {
      this.#failed[index] = (this.#failed[index] ?? 0) + 1;
      this.failed += 1;
    }
    if (slow) {
      this.#slow[index] = (this.#slow[index] ?? 0) + 1;
      this.slow += 1;
    }
  }

  /** A clock that stands still or steps back changes nothing. */
  turn(now: number): void {
    const slot = Math.floor(now / this.#slotMs);
    if (slot <= this.#newest) return;
    const passed = Math.min(slots, slot - this.#newest);
    for (let step = 0; step < passed; step++) this.#clear(modulo(slot - step));
    this.#newest = slot;
  }

  #clear(index: number): void {
    this.calls -= this.#calls[index] ?? 0;
    this.failed -= this.#failed[index] ?? 0;
    this.slow -= this.#slow[index] ?? 0;
    this.#calls[index] = 0;
    this.#failed[index] = 0;
    this.#slow[index] = 0;
  }
}

function modulo(slot: number): number {
  return ((slot % slots) + slots) % slots;
}
