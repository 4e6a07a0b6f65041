import type { Random } from '@flotilla/core';
import type { Candidate, Picker } from './candidate.ts';
import { Ring } from './ring.ts';
import { leastLoaded } from './two-choices.ts';

/**
 * The same key goes to the same candidate, for every caller, as long as that one carries no more than `maxLoad` times its
 * share of the calls in flight; what is over goes to the next one on the circle (Mirrokni, Thorup, Zadimoghaddam,
 * "Consistent Hashing with Bounded Loads", 2018). A call without a key goes where the load is low.
 * @param maxLoad above 1; `Infinity`: no bound.
 */
export function consistentHash<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
  maxLoad: number,
): Picker<C> {
  const ring = new Ring(pool, weights);
  const shares = shareOf(weights);
  const withoutKey = leastLoaded(pool, weights, random);
  const loads = new LoadSum(pool);
  return {
    next(now, key) {
      if (key === undefined) return withoutKey.next(now);
      const first = ring.find(key);
      const allowed = maxLoad * (loads.total + 1);
      let open: C | undefined;
      for (let step = 0, point = first; step < ring.length; step++) {
        const owner = ring.ownerOf(point);
        const candidate = pool[owner] as C;
        if (candidate.status === 'open') {
          // Rounded up: somebody always has room, since the bounds add up to more than all calls.
          if (candidate.load < Math.ceil(allowed * (shares[owner] as number))) return candidate;
          open ??= candidate;
        }
        point = point + 1 === ring.length ? 0 : point + 1;
      }
      return open ?? pool[ring.ownerOf(first)];
    },
    changed: (candidate) => loads.changed(candidate),
  };
}

function shareOf(weights: readonly number[]): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from(weights, (weight) => weight / total);
}

/** The calls in flight of all candidates, without adding them up each time. */
class LoadSum<C extends Candidate> {
  readonly #known = new Map<C, number>();
  total = 0;

  constructor(pool: readonly C[]) {
    for (const candidate of pool) {
      this.#known.set(candidate, candidate.load);
      this.total += candidate.load;
    }
  }

  changed(candidate: C): void {
    const before = this.#known.get(candidate);
    if (before === undefined) return;
    this.#known.set(candidate, candidate.load);
    this.total += candidate.load - before;
  }
}
