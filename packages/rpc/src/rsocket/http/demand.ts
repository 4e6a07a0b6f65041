/**
 * How many more items a receiver asks for, so that never more than the window is on its way: half of it at a time, and
 * nothing while the reader is behind. A pure rule; whoever uses it sends REQUEST_N.
 */
export class Demand {
  readonly #window: number;
  /** Items that were asked for and have not come. Invariant: 0 <= it <= window. */
  #open: number;

  /** @param open what was asked for at the begin */
  constructor(window: number, open: number) {
    this.#window = window;
    this.#open = open;
  }

  /** An item came. @param roomy whether its reader keeps up @returns how many more to ask for now; often 0 */
  came(roomy: boolean): number {
    if (this.#open > 0) this.#open--;
    return roomy ? this.more() : 0;
  }

  /** The reader keeps up again. @returns as {@link came} */
  more(): number {
    const missing = this.#window - this.#open;
    if (missing * 2 < this.#window) return 0;
    this.#open = this.#window;
    return missing;
  }
}

/** Items of a body that are on their way at most. An item has up to 64 KiB: so much of each body is kept here at most. */
export const bodyWindow = 8;

/** Bodies up to this many bytes are one message with their head. Longer ones go in items, as their reader takes them. */
export const wholeBytes = 65_536;
