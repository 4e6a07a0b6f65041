import type { Candidate, Picker } from './candidate.ts';

/** Whom each key had last. It outlives the picks, which are built anew at each change. */
export class StickyMemory {
  readonly #maxKeys: number;
  /** In the order of use, the latest last. */
  readonly #last = new Map<string, object>();

  /** @param maxKeys beyond it, the key that was used longest ago is forgotten. */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#last.size;
  }

  get(key: string): object | undefined {
    return this.#last.get(key);
  }

  /** Remembers, as the latest. */
  set(key: string, candidate: object): void {
    this.#last.delete(key);
    this.#last.set(key, candidate);
    if (this.#last.size <= this.#maxKeys) return;
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest);
      return;
    }
  }
}

/**
 * A key stays with the candidate that it had, for as long as that one can be picked; else `first` chooses, and the key
 * stays there. Calls without a key share one place: they all go to one candidate while it is there.
 */
export function sticky<C extends Candidate>(pool: readonly C[], first: Picker<C>, memory: StickyMemory): Picker<C> {
  const members = new Set<object>(pool);
  return {
    next(now, key = '') {
      const last = memory.get(key);
      const usable = last !== undefined && members.has(last) && (last as C).status === 'open';
      const chosen = usable ? (last as C) : first.next(now, key);
      if (chosen) memory.set(key, chosen);
      return chosen;
    },
  };
}
