/**
 * A map of at most so many entries, in the order in which they were last set: the entry that was set longest ago goes first.
 * For what strangers choose the keys of. Setting costs the same whether the map is full or not.
 */
export class LatestMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #capacity: number;
  /** Nothing stands before it, but for the holes of what went since it was made. */
  #oldest: MapIterator<K> = this.#entries.keys();
  #setSince = 0;
  #newest: K | undefined;

  /** @param capacity at least 1 */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Sets an entry as the latest one. */
  set(key: K, value: V): void {
    // Who comes again and again is in its place already: moving it would make the map anew every few times.
    if (key !== this.#newest) {
      this.#entries.delete(key);
      this.#newest = key;
    }
    this.#entries.set(key, value);
    this.#renewOldest();
    if (this.#entries.size > this.#capacity) this.#dropOldest();
  }

  delete(key: K): boolean {
    if (key === this.#newest) this.#newest = undefined;
    return this.#entries.delete(key);
  }

  #dropOldest(): void {
    let next = this.#oldest.next();
    if (next.done) {
      this.#oldest = this.#entries.keys();
      next = this.#oldest.next();
    }
    this.delete(next.value as K);
  }

  /**
   * A new iterator for each entry that goes would pass over the holes of all that went before it; one that is kept for good
   * and not moved holds every table that the map has had. So it is made anew once for each time that the map was filled.
   */
  #renewOldest(): void {
    this.#setSince += 1;
    if (this.#setSince <= this.#entries.size) return;
    this.#setSince = 0;
    this.#oldest = this.#entries.keys();
  }
}
