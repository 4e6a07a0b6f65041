import type { Random } from '@flotilla/core';
import { type Candidate, openOr, type Picker } from './candidate.ts';

/**
 * The one with the fewest calls in flight per weight, of all of them. Those that have equally few take smooth turns by
 * weight. A heap holds the order, mended at each begin and end of a call: ten comparisons among a thousand.
 */
export function leastInFlight<C extends Candidate>(
  pool: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  const order = new LoadOrder(pool, weights, random);
  return {
    next() {
      const index = order.first;
      const candidate = pool[index] as C;
      if (candidate.status !== 'open') return openOr(candidate, pool, index);
      order.tookTurn(index);
      return candidate;
    },
    changed: (candidate) => order.changed(candidate),
  };
}

/** A heap of indices: a parent at i comes before its children at 2i + 1 and 2i + 2. */
class LoadOrder<C extends Candidate> {
  readonly #weights: readonly number[];
  readonly #indexOf = new Map<C, number>();
  readonly #load: Float64Array;
  /** Among equals, who has its turn first. */
  readonly #due: Float64Array;
  readonly #heap: Int32Array;
  readonly #placeOf: Int32Array;

  constructor(pool: readonly C[], weights: readonly number[], random: Random) {
    this.#weights = weights;
    this.#load = Float64Array.from(pool, ({ load }, index) => load / (weights[index] as number));
    this.#due = Float64Array.from(weights, (weight) => random() / weight);
    for (const [index, candidate] of pool.entries()) this.#indexOf.set(candidate, index);
    this.#heap = Int32Array.from(pool.keys()).sort((a, b) => (this.#isBefore(a, b) ? -1 : 1));
    this.#placeOf = new Int32Array(pool.length);
    for (const [place, index] of this.#heap.entries()) this.#placeOf[index] = place;
  }

  get first(): number {
    return this.#heap[0] as number;
  }

  tookTurn(index: number): void {
    this.#due[index] = (this.#due[index] as number) + 1 / (this.#weights[index] as number);
    this.#sink(this.#placeOf[index] as number);
  }

  changed(candidate: C): void {
    const index = this.#indexOf.get(candidate);
    if (index === undefined) return;
    const load = candidate.load / (this.#weights[index] as number);
    const before = this.#load[index] as number;
    this.#load[index] = load;
    if (load < before) this.#rise(this.#placeOf[index] as number);
    else this.#sink(this.#placeOf[index] as number);
  }

  #isBefore(a: number, b: number): boolean {
    const difference = (this.#load[a] as number) - (this.#load[b] as number);
    return difference < 0 || (difference === 0 && (this.#due[a] as number) < (this.#due[b] as number));
  }

  #rise(from: number): void {
    const index = this.#heap[from] as number;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!this.#isBefore(index, this.#heap[parent] as number)) break;
      this.#put(place, this.#heap[parent] as number);
      place = parent;
    }
    this.#put(place, index);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const index = heap[from] as number;
    let place = from;
    for (let child = 2 * place + 1; child < heap.length; child = 2 * place + 1) {
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1] as number, heap[child] as number)) child += 1;
      if (!this.#isBefore(heap[child] as number, index)) break;
      this.#put(place, heap[child] as number);
      place = child;
    }
    this.#put(place, index);
  }

  #put(place: number, index: number): void {
    this.#heap[place] = index;
    this.#placeOf[index] = place;
  }
}
