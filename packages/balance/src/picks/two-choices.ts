import type { Random } from '@flotilla/core';
import { type Candidate, openOr, type Picker } from './candidate.ts';
import { areAlike, weightedDraw } from './weighted-draw.ts';

/**
 * Power of two choices: two random candidates, drawn by weight; the one with fewer calls in flight per weight wins, the
 * first drawn if they are even. So an idle service is shared out by weight, and a slow instance gets less, without
 * anybody looking at all of them (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
 */
export function leastLoaded<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  const draw = weightedDraw(weights, random);
  return {
    next() {
      const a = draw();
      let b = draw();
      if (b === a) b = anyOther(a, pool.length, random);
      const one = pool[a] as C;
      const other = pool[b] as C;
      if (one.status !== 'open' || other.status !== 'open') return openOfTwo(one, other, pool, a);
      return other.load * (weights[a] as number) < one.load * (weights[b] as number) ? other : one;
    },
  };
}

/**
 * Two choices by latency: the one where a call is likely to end sooner, that is latency × (calls in flight + this one).
 * The latency follows a rise at once and a fall slowly, see `Latency`: the peak-sensitive moving average of Finagle.
 */
export function peakEwma<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  return measured(pool, weights, random, (candidate, now) => candidate.latencyAt(now));
}

/** Two choices by how busy the event loops are, as the instances say, times the calls in flight. */
export function leastUtilised<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  return measured(pool, weights, random, (candidate, now) => {
    const utilisation = candidate.utilisationAt(now);
    return utilisation === 0 ? 0 : utilisation + idleShare;
  });
}

/** Added to a utilisation: between 1 % and 2 % of an idle loop there is no choice to be made. */
const idleShare = 0.05;

/** Draws of the second choice before the first one is taken as it is. */
const mostDraws = 3;

/**
 * Weight counts twice: in the draw, and in how much a call in flight weighs. The second choice is drawn by weight too:
 * anybody else would do where all are alike, but of a hundred to one the light one would be half of every pair.
 */
function measured<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
  measure: (candidate: C, now: number) => number,
): Picker<C> {
  const draw = weightedDraw(weights, random);
  const alike = areAlike(weights);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  const perCall = Float64Array.from(weights, (weight) => mean / weight);
  return {
    next(now) {
      const a = draw();
      let b = draw();
      if (alike && b === a) b = anyOther(a, pool.length, random);
      for (let draws = 1; b === a && draws < mostDraws; draws++) b = draw();
      const one = pool[a] as C;
      const other = pool[b] as C;
      if (one.status !== 'open' || other.status !== 'open') return openOfTwo(one, other, pool, a);
      if (a === b) return one;
      let costOfOne = measure(one, now);
      let costOfOther = measure(other, now);
      // Of whom nothing is known counts like the other one: then calls in flight decide.
      if (costOfOne === 0) costOfOne = costOfOther === 0 ? 1 : costOfOther;
      if (costOfOther === 0) costOfOther = costOfOne;
      costOfOne *= 1 + one.load * (perCall[a] as number);
      costOfOther *= 1 + other.load * (perCall[b] as number);
      return costOfOther < costOfOne ? other : one;
    },
  };
}

function anyOther(index: number, length: number, random: Random): number {
  return (index + 1 + Math.floor(random() * (length - 1))) % length;
}

function openOfTwo<C extends Candidate>(one: C, other: C, pool: readonly C[], index: number): C {
  return one.status !== 'open' && other.status === 'open' ? other : openOr(one, pool, index);
}
