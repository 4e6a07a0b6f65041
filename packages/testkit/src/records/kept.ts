/** The last items of a stream that may not grow without bound. */
export class Kept<T> {
  static readonly most = 100_000;
  #items: T[] = [];

  add(item: T): void {
    this.#items.push(item);
    // Half at once: moving all of them at each further item would cost more than it saves.
    if (this.#items.length > Kept.most * 1.5) this.#items = this.#items.slice(-Kept.most);
  }

  all(): readonly T[] {
    return this.#items.slice(-Kept.most);
  }
}
