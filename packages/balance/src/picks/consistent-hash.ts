import type { Random } from '@flotilla/core';
import type { Candidate, Picker } from './candidate.ts';
import { Ring } from './ring.ts';
import { leastLoaded } from './two-choices.ts';

/**
 * The same key goes to the same candidate, for every caller, as long as that one carries no more than `maxLoad` times its
 * share of the calls in flight; what is over goes to the next one on the circle (Mirrokni, Thorup, Zadimoghaddam,
 * "Consistent Hashing with Bounded Loads", 2018). A call without a key goes where the load is low.
 * @param maxLoad above 1; `Infinity`: no bound.
 * @param inFlight the calls of all candidates; where they are part of more, of all those: then the bound is wider.
 */
export function consistentHash<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
  maxLoad: number,
  inFlight: () => number,
): Picker<C> {
  const ring = new Ring(pool, weights);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const withoutKey = leastLoaded(pool, weights, random);
  return {
    next(now, key) {
      if (key === undefined) return withoutKey.next(now);
      const first = ring.find(key);
      const allowed = maxLoad * (inFlight() + 1);
      let open: C | undefined;
      for (let step = 0, point = first; step < ring.length; step++) {
        const owner = ring.ownerOf(point);
        const candidate = pool[owner] as C;
        if (candidate.status === 'open') {
          // Rounded up: somebody always has room, since the bounds add up to more than all calls.
          if (candidate.load < Math.ceil((allowed * (weights[owner] as number)) / total)) return candidate;
          open ??= candidate;
        }
        point = point + 1 === ring.length ? 0 : point + 1;
      }
      return open ?? pool[ring.ownerOf(first)];
    },
  };
}
