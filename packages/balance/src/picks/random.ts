import type { Random } from '@flotilla/core';
import { type Candidate, openOr, type Picker } from './candidate.ts';
import { weightedDraw } from './weighted-draw.ts';

/** Anyone, by weight. */
export function randomPick<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  const draw = weightedDraw(weights, random);
  return {
    next() {
      const index = draw();
      return openOr(pool[index] as C, pool, index);
    },
  };
}
