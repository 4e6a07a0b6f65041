/** Who waits for a place. */
export interface Waiter {
  /** 0 is the most urgent. */
  readonly rank: number;
  /** Among equals the soonest due comes first. */
  readonly deadline: number;
}

/**
 * Waiters in the order in which they get a place: by rank, then by deadline, then as they came. Sorted on the way in: a
 * queue of this kind is short, and most of the time empty.
 */
export class WaitQueue<W extends Waiter> {
  readonly #waiters: W[] = [];

  get length(): number {
    return this.#waiters.length;
  }

  /** Who is next; undefined when nobody waits. */
  get first(): W | undefined {
    return this.#waiters[0];
  }

  /** Of the most urgent the one that is due last: who has just come, more often than not. */
  get freshest(): W | undefined {
    const [first] = this.#waiters;
    return first && this.#waiters[this.#behind(first.rank) - 1];
  }

  /** Of the least urgent the one that is due first: who has waited longest, more often than not. */
  get stalest(): W | undefined {
    const last = this.#waiters.at(-1);
    return last && this.#waiters[this.#behind(last.rank - 1)];
  }

  /**
   * Lets one more wait.
   * @returns who has to leave because there is no room for all: the last in order, possibly the one that came.
   */
  push(waiter: W, room: number): W | undefined {
    this.#waiters.splice(this.#placeOf(waiter), 0, waiter);
    return this.#waiters.length > room ? this.#waiters.pop() : undefined;
  }

  remove(waiter: W): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
  }

  /** Where those begin that are less urgent than `rank`. */
  #behind(rank: number): number {
    return this.#placeOf({ rank, deadline: Infinity });
  }

  /** Behind all that come before it or came before it. */
  #placeOf(waiter: Waiter): number {
    let low = 0;
    let high = this.#waiters.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#waiters[middle];
      if (other && comesBefore(waiter, other)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function comesBefore(one: Waiter, other: Waiter): boolean {
  return one.rank !== other.rank ? one.rank < other.rank : one.deadline < other.deadline;
}
