import type { Random } from '@flotilla/core';
import { type Candidate, openOr, type Picker } from './candidate.ts';

/**
 * Smooth weighted round robin: each candidate is due every 1/weight; the one that is due first is chosen and is due again
 * one step later. The heap keeps the one that is due first on top, so that a pick among a thousand is ten comparisons.
 * They start at random points of their steps: callers that start together do not walk in line.
 */
export function roundRobin<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  const due = Float64Array.from(weights, (weight) => random() / weight);
  const heap = Int32Array.from(pool.keys()).sort((a, b) => (due[a] as number) - (due[b] as number));
  return {
    next() {
      for (let tries = 0; tries < pool.length; tries++) {
        const index = heap[0] as number;
        due[index] = (due[index] as number) + 1 / (weights[index] as number);
        sink(heap, due);
        const candidate = pool[index] as C;
        if (candidate.status === 'open') return candidate;
      }
      const index = heap[0] as number;
      return openOr(pool[index] as C, pool, index);
    },
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
