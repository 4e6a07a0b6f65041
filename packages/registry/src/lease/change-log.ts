import type { Change } from './change.ts';

/**
 * The most recent changes, for watchers that resume. A ring: the newest overwrites the oldest.
 *
 * ```
 *   revisions   7   8   9 │ 4   5   6      newest 9, oldest 4, next is written over 4
 * ```
 */
export class ChangeLog {
  readonly #ring: Change[] = [];
  readonly #capacity: number;
  readonly #first: number;
  #newest: number;

  /** @param newest the revision before the first change. */
  constructor(capacity: number, newest = 0) {
    if (!(Number.isInteger(capacity) && capacity > 0))
      throw new RangeError(`capacity must be a whole number from 1 on, got ${capacity}`);
    this.#capacity = capacity;
    this.#first = newest;
    this.#newest = newest;
  }

  /** The lowest revision after which all changes are kept. */
  get oldest(): number {
    return Math.max(this.#first, this.#newest - this.#capacity);
  }

  /** Revision of the last change. */
  get newest(): number {
    return this.#newest;
  }

  /** @param change its revision is {@link newest} + 1. */
  append(change: Change): void {
    this.#newest = change.revision;
    this.#ring[change.revision % this.#capacity] = change;
  }

  /** The changes after `revision`, oldest first; undefined when some of them are no longer kept, or not yet made. */
  since(revision: number): readonly Change[] | undefined {
    if (!Number.isInteger(revision) || revision < this.oldest || revision > this.#newest) return undefined;
    const changes: Change[] = [];
    for (let wanted = revision + 1; wanted <= this.#newest; wanted++) {
      const change = this.#ring[wanted % this.#capacity];
      if (change) changes.push(change);
    }
    return changes;
  }

  /** The changes from `at` (monotonic) on that are kept, the last `atMost` of them, oldest first; whether those are all. */
  from(at: number, atMost: number = Infinity): { readonly changes: readonly Change[]; readonly complete: boolean } {
    const changes: Change[] = [];
    for (let revision = this.#newest; revision > this.oldest; revision--) {
      const change = this.#ring[revision % this.#capacity];
      if (!change || change.at < at) return { changes: changes.reverse(), complete: true };
      if (changes.length >= atMost) return { changes: changes.reverse(), complete: false };
      changes.push(change);
    }
    return { changes: changes.reverse(), complete: this.oldest === this.#first };
  }
}
