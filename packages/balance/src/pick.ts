import type { EndpointStatus, Random } from '@flotilla/core';

/** What a pick looks at. */
export interface Candidate {
  readonly status: EndpointStatus;
  /** Calls in flight. */
  readonly load: number;
  /** Share of the calls relative to the others, from 0 on. */
  readonly weight: number;
}

/** How an instance is chosen. */
export type PickPolicy = 'least-loaded' | 'round-robin';

/**
 * Chooses one candidate per call, without allocating. Undefined when there are none. A candidate that takes nothing now
 * is chosen only when all do so: it refuses without having started the work.
 */
export type Picker<C> = () => C | undefined;

/**
 * Builds a picker for candidates that stay the same: when they change, a new one is built. Candidates without weight
 * are left out, unless none has any: then all count alike.
 */
export function createPicker<C extends Candidate>(
  policy: PickPolicy,
  candidates: readonly C[],
  random: Random,
): Picker<C> {
  const weighted = candidates.filter(({ weight }) => weight > 0);
  const pool = weighted.length > 0 ? weighted : candidates;
  const weights = pool.map(({ weight }) => (weighted.length > 0 ? weight : 1));
  const [first] = pool;
  if (pool.length <= 1) return () => first;
  return policy === 'round-robin' ? roundRobin(pool, weights, random) : leastLoaded(pool, weights, random);
}

/**
 * Power of two choices: two random candidates, drawn by weight; the one with fewer calls in flight per weight wins, the
 * first drawn if they are even. So an idle service is shared out by weight, and a slow instance gets less, without
 * anybody looking at all of them (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
 */
function leastLoaded<C extends Candidate>(pool: readonly C[], weights: readonly number[], random: Random): Picker<C> {
  const draw = weightedDraw(weights, random);
  return () => {
    const a = draw();
    let b = draw();
    if (b === a) b = (a + 1 + Math.floor(random() * (pool.length - 1))) % pool.length;
    const one = pool[a] as C;
    const other = pool[b] as C;
    if (one.status !== 'open' || other.status !== 'open') return other.status === 'open' ? other : openOr(one, pool, a);
    return other.load * (weights[a] as number) < one.load * (weights[b] as number) ? other : one;
  };
}

/** Index of a random candidate, drawn by weight: at once when all are alike, else by halving the sums of weights. */
function weightedDraw(weights: readonly number[], random: Random): () => number {
  const { length } = weights;
  if (weights.every((weight) => weight === weights[0])) return () => Math.floor(random() * length);
  const sums = new Float64Array(length);
  let total = 0;
  for (const [index, weight] of weights.entries()) sums[index] = total += weight;
  return () => {
    const point = random() * total;
    let low = 0;
    let high = length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/**
 * Smooth weighted round robin: each candidate is due every 1/weight; the one that is due first is chosen and is due again
 * one step later. The heap keeps the one that is due first on top, so that a pick among a thousand is ten comparisons.
 * They start at random points of their steps: callers that start together do not walk in line.
 */
function roundRobin<C extends Candidate>(pool: readonly C[], weights: readonly number[], random: Random): Picker<C> {
  const due = Float64Array.from(weights, (weight) => random() / weight);
  const heap = Int32Array.from(pool.keys()).sort((a, b) => (due[a] as number) - (due[b] as number));
  return () => {
    for (let tries = 0; tries < pool.length; tries++) {
      const index = heap[0] as number;
      due[index] = (due[index] as number) + 1 / (weights[index] as number);
      sink(heap, due);
      const candidate = pool[index] as C;
      if (candidate.status === 'open') return candidate;
    }
    const index = heap[0] as number;
    return openOr(pool[index] as C, pool, index);
  };
}

/** Lets the top sink to its place: a parent is due no later than its children at 2i + 1 and 2i + 2. */
function sink(heap: Int32Array, due: Float64Array): void {
  const index = heap[0] as number;
  const dueAt = due[index] as number;
  let place = 0;
  for (let child = 1; child < heap.length; child = 2 * place + 1) {
    const right = child + 1;
    if (right < heap.length && (due[heap[right] as number] as number) < (due[heap[child] as number] as number)) {
      child = right;
    }
    if (dueAt <= (due[heap[child] as number] as number)) break;
    heap[place] = heap[child] as number;
    place = child;
  }
  heap[place] = index;
}

/** `one` if it is open, else the next open candidate after it, else `one`: rare, so it may look at all of them. */
function openOr<C extends Candidate>(one: C, pool: readonly C[], index: number): C {
  for (let step = 0; step < pool.length; step++) {
    const candidate = pool[(index + step) % pool.length] as C;
    if (candidate.status === 'open') return candidate;
  }
  return one;
}
