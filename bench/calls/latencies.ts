/** How long calls took: the last million of them. */
export class Latencies {
  readonly #ms = new Float64Array(1_000_000);
  #count = 0;

  add(ms: number): void {
    this.#ms[this.#count++ % this.#ms.length] = ms;
  }

  /** @param share 0.99 for the time within which 99 of 100 were done */
  quantile(share: number): number {
    const sorted = this.#ms.slice(0, Math.min(this.#count, this.#ms.length)).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  }
}
