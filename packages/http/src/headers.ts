/**
 * Header fields in their order, names in lower case, repeated fields kept apart (RFC 9110 §5.2, §5.3).
 * Values are as they go over the wire; whoever makes one from user input checks it with `isFieldValue` first.
 */
export class HttpHeaders implements Iterable<readonly [name: string, value: string]> {
  /** name, value, name, value, … */
  #flat: string[] = [];

  /** @param fields pairs in order; names are lower-cased. */
  constructor(fields?: Iterable<readonly [string, string]>) {
    if (fields) for (const [name, value] of fields) this.append(name, value);
  }

  /** @param flat name, value, name, value, …, names in lower case; it is theirs from now on. */
  static fromFlat(flat: string[]): HttpHeaders {
    const headers = new HttpHeaders();
    headers.#flat = flat;
    return headers;
  }

  get size(): number {
    return this.#flat.length / 2;
  }

  /** All values of a field joined by a comma (RFC 9110 §5.3), or undefined. Not for `set-cookie`: see {@link getAll}. */
  get(name: string): string | undefined {
    let joined: string | undefined;
    for (let i = 0; i < this.#flat.length; i += 2) {
      if (this.#flat[i] !== name) continue;
      const value = this.#flat[i + 1] as string;
      joined = joined === undefined ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  /** @param name in lower case, here and below. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.#flat.length; i += 2) {
      if (this.#flat[i] === name) values.push(this.#flat[i + 1] as string);
    }
    return values;
  }

  has(name: string): boolean {
    for (let i = 0; i < this.#flat.length; i += 2) if (this.#flat[i] === name) return true;
    return false;
  }

  append(name: string, value: string): void {
    this.#flat.push(name.toLowerCase(), value);
  }

  /** Replaces every field of that name by one. */
  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    this.delete(lower);
    this.#flat.push(lower, value);
  }

  delete(name: string): void {
    if (this.has(name)) this.deleteWhere((field) => field === name);
  }

  /** Removes every field for which `test` is true. */
  deleteWhere(test: (name: string) => boolean): void {
    const flat = this.#flat;
    let kept = 0; // those before it stay, in their order
    for (let i = 0; i < flat.length; i += 2) {
      const name = flat[i] as string;
      if (test(name)) continue;
      if (kept < i) {
        flat[kept] = name;
        flat[kept + 1] = flat[i + 1] as string;
      }
      kept += 2;
    }
    flat.length = kept;
  }

  /** The first field for which `test` is true, without the cost of an iterator. */
  find(test: (name: string, value: string) => boolean): readonly [name: string, value: string] | undefined {
    for (let i = 0; i < this.#flat.length; i += 2) {
      const name = this.#flat[i] as string;
      const value = this.#flat[i + 1] as string;
      if (test(name, value)) return [name, value];
    }
    return undefined;
  }

  /** Calls `visit` for each field, in order, without the cost of an iterator. */
  forEach(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.#flat.length; i += 2) visit(this.#flat[i] as string, this.#flat[i + 1] as string);
  }

  copy(): HttpHeaders {
    const copy = new HttpHeaders();
    copy.#flat = this.#flat.slice();
    return copy;
  }

  /** name, value, name, value, …: a new array, as Node's own raw lists are. */
  toFlat(): string[] {
    return this.#flat.slice();
  }

  /** As they stand in a message: `name: value`, each with its line end. */
  toLines(): string {
    let lines = '';
    for (let i = 0; i < this.#flat.length; i += 2) lines += `${this.#flat[i]}: ${this.#flat[i + 1]}\r\n`;
    return lines;
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#flat.length; i += 2) yield [this.#flat[i] as string, this.#flat[i + 1] as string];
  }
}
