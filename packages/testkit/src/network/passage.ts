import type { Random } from '@flotilla/core';
import type { Faults } from './faults.ts';
import type { LossMoment } from './way.ts';

/**
 * One direction between two parties, with all faults that strike it now: those of their own names, of their services,
 * and of everybody. Read anew each time, so that a fault and its end take effect at once.
 */
export class Passage {
  readonly #faults: () => readonly Faults[];
  readonly #random: Random;

  constructor(faults: () => readonly Faults[], random: Random) {
    this.#faults = faults;
    this.#random = random;
  }

  get refused(): boolean {
    return this.#faults().some(({ refused }) => refused);
  }

  get dropped(): boolean {
    return this.#faults().some(({ dropped }) => dropped);
  }

  get bytesPerSecond(): number {
    return Math.min(...this.#faults().map(({ bytesPerSecond }) => bytesPerSecond), Infinity);
  }

  /** How long the next message takes. */
  delayMs(): number {
    return this.#faults().reduce(
      (sum, { delayMs, jitterMs }) => sum + delayMs + (jitterMs > 0 ? this.#random() * jitterMs : 0),
      0,
    );
  }

  /** Whether the request in hand is lost at that moment; each asks once. */
  loses(moment: LossMoment): boolean {
    return this.#faults().some(({ losses }) => losses.get(moment)?.strikes());
  }

  /** After how many bytes the next body breaks; undefined: it does not. */
  resetAfterBytes(): number | undefined {
    return this.#faults().find(({ resets }) => resets?.strikes())?.resetAfterBytes;
  }
}
