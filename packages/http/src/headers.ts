import { isFieldName, isFieldValue } from './field-grammar.ts';

/**
 * Header fields in their order, names in lower case, repeated fields kept apart (RFC 9110 §5.2, §5.3).
 * Values are as they go over the wire; whoever makes one from user input checks it with `isFieldValue` first.
 */
export class HttpHeaders implements Iterable<readonly [name: string, value: string]> {
  /** name, value, name, value, … */
  #flat: string[] = [];
  /** Others hold the same array: whoever changes it makes one of its own first. So a copy costs nothing. */
  #shared = false;
  /** So many elements of it, from the first one on, are known to be names and values that may be sent. */
  #fit = 0;

  /** @param fields pairs in order; names are lower-cased. */
  constructor(fields?: Iterable<readonly [string, string]>) {
    if (fields) for (const [name, value] of fields) this.append(name, value);
  }

  /**
   * @param flat name, value, name, value, …, names in lower case; it is theirs from now on
   * @param fit all of them are known to be well-formed, as those are that a parser read. Default false.
   */
  static fromFlat(flat: string[], fit = false): HttpHeaders {
    const headers = new HttpHeaders();
    headers.#flat = flat;
    if (fit) headers.#fit = flat.length;
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
    this.#own().push(name.toLowerCase(), value);
  }

  /** Replaces every field of that name by one. */
  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    this.delete(lower);
    this.#own().push(lower, value);
  }

  delete(name: string): void {
    if (this.has(name)) this.deleteWhere((field) => field === name);
  }

  /** Removes every field for which `test` is true. */
  deleteWhere(test: (name: string) => boolean): void {
    const flat = this.#flat;
    let at = 0;
    while (at < flat.length && !test(flat[at] as string)) at += 2;
    if (at < flat.length) this.#deleteFrom(at, test);
  }

  /** @param first where the first one is that goes: `test` has been asked about it and those before it */
  #deleteFrom(first: number, test: (name: string) => boolean): void {
    const flat = this.#own();
    let kept = first; // those before it stay, in their order
    let fit = this.#fit;
    if (first < this.#fit) fit -= 2;
    for (let i = first + 2; i < flat.length; i += 2) {
      const name = flat[i] as string;
      if (test(name)) {
        if (i < this.#fit) fit -= 2;
        continue;
      }
      flat[kept] = name;
      flat[kept + 1] = flat[i + 1] as string;
      kept += 2;
    }
    flat.length = kept;
    this.#fit = fit;
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
    copy.#flat = this.#flat;
    copy.#fit = this.#fit;
    copy.#shared = true;
    this.#shared = true;
    return copy;
  }

  /** The first field that cannot be part of a message, by the grammar of RFC 9110 §5: it could end and begin another one. */
  unfit(): readonly [name: string, value: string] | undefined {
    const flat = this.#flat;
    for (let i = this.#fit; i < flat.length; i += 2) {
      const name = flat[i] as string;
      const value = flat[i + 1] as string;
      if (!isFieldName(name) || !isFieldValue(value)) return [name, value];
      this.#fit = i + 2;
    }
    return undefined;
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

  #own(): string[] {
    if (this.#shared) {
      this.#flat = this.#flat.slice();
      this.#shared = false;
    }
    return this.#flat;
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#flat.length; i += 2) yield [this.#flat[i] as string, this.#flat[i + 1] as string];
  }
}
