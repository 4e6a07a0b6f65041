/** Values below this are counted exactly; above, each doubling of the value has half as many slots: 1.6 % at most. */
const linear = 128;
const half = linear / 2;

/** Larger values count as this one: 2^27 µs are 134 s. */
const doublings = 20;
const slots = linear + doublings * half;

/**
 * Counts of durations in a fixed number of slots, exact to 1.6 % over its whole range (the idea of HdrHistogram). Its
 * memory does not depend on how much is recorded.
 */
export class Histogram {
  readonly #counts = new Uint32Array(slots);
  #count = 0;
  #maxUs = 0;

  get count(): number {
    return this.#count;
  }

  /** The largest value itself, not that of its slot. */
  get maxMs(): number {
    return this.#maxUs / 1_000;
  }

  record(ms: number): void {
    const us = Math.max(0, Math.round(ms * 1_000));
    const slot = slotOf(us);
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#count++;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  add(other: Histogram): void {
    other.#counts.forEach((count, slot) => {
      this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
    });
    this.#count += other.#count;
    this.#maxUs = Math.max(this.#maxUs, other.#maxUs);
  }

  /** The value that `fraction` of all do not exceed: the upper edge of its slot. 0 when nothing was recorded. */
  quantileMs(fraction: number): number {
    const rank = Math.max(1, Math.ceil(fraction * this.#count));
    let seen = 0;
    for (let slot = 0; slot < slots; slot++) {
      seen += this.#counts[slot] ?? 0;
      if (seen >= rank) return Math.min(upperEdgeOf(slot), this.#maxUs) / 1_000;
    }
    return this.maxMs;
  }
}

function slotOf(us: number): number {
  if (us < linear) return us;
  const shift = Math.floor(Math.log2(us)) - Math.log2(half);
  if (shift > doublings) return slots - 1;
  return shift * half + Math.floor(us / 2 ** shift);
}

function upperEdgeOf(slot: number): number {
  if (slot < linear) return slot;
  const shift = Math.floor(slot / half) - 1;
  return (half + (slot % half) + 1) * 2 ** shift - 1;
}
