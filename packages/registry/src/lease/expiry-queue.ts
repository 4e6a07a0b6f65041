/** An entry of an {@link ExpiryQueue}. */
interface Node<T> {
  readonly at: number;
  readonly item: T;
}

/**
 * Items by the instant at which they want to be looked at: a binary heap. An item may be in it several times; whoever
 * takes one out decides whether that entry still counts.
 */
export class ExpiryQueue<T> {
  /** Invariant: `heap[i].at <= heap[2i + 1].at, heap[2i + 2].at`. */
  #heap: Node<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest instant; `Infinity` when empty. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  push(at: number, item: T): void {
    this.#heap.push({ at, item });
    this.#rise(this.#heap.length - 1);
  }

  /** Takes the earliest entry out if its instant is `now` or before. */
  takeDue(now: number): Node<T> | undefined {
    const first = this.#heap[0];
    if (!first || first.at > now) return undefined;
    const last = this.#heap.pop();
    if (last && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  clear(): void {
    this.#heap = [];
  }

  #rise(from: number): void {
    for (let index = from; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #sink(from: number): void {
    for (let index = from; ; ) {
      const left = 2 * index + 1;
      const right = left + 1;
      const least = this.#at(right) < this.#at(left) ? right : left;
      if (this.#at(index) <= this.#at(least)) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (!first || !second) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
