import type { Candidate, Picker } from './candidate.ts';

/**
 * Whom each key had last. It outlives the picks, which are built anew at each change. Two generations: what is used moves
 * to the young one; when that is full it becomes the old one, and what was in there unused is forgotten. So a use of a key
 * is one look-up, where the exact order of use would cost a removal and an insertion.
 */
export class StickyMemory {
  readonly #perGeneration: number;
  #young = new Map<string, object>();
  #old = new Map<string, object>();

  /** @param maxKeys never more are kept; at least half as many that were used last are. */
  constructor(maxKeys: number) {
    this.#perGeneration = Math.max(1, Math.floor(maxKeys / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): object | undefined {
    const known = this.#young.get(key);
    if (known) return known;
    const old = this.#old.get(key);
    if (old) this.set(key, old);
    return old;
  }

  set(key: string, candidate: object): void {
    if (this.#young.size >= this.#perGeneration && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, candidate);
    this.#old.delete(key);
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
      if (last !== undefined && members.has(last) && (last as C).status === 'open') return last as C;
      const chosen = first.next(now, key);
      if (chosen) memory.set(key, chosen);
      return chosen;
    },
  };
}
