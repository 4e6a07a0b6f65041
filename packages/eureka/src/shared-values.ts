/** Values that many instances have alike, held once for all of them. Bounded: a full one begins anew. */
export class SharedValues<T> {
  readonly #known = new Map<string, T>();
  readonly #most: number;

  /** @param most values that are remembered */
  constructor(most: number) {
    this.#most = most;
  }

  /** The value for that text, made when it is not known. */
  of(text: string, make: (text: string) => T): T {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#most) this.#known.clear();
    const made = make(text);
    this.#known.set(text, made);
    return made;
  }
}
