import { isFieldName, isFieldValue } from './field-grammar.ts';

/**
 * Header fields in their order, names in lower case, repeated fields kept apart (RFC 9110 §5.2, §5.3).
 * Values are as they go over the wire; whoever makes one from user input checks it with `isFieldValue` first.
 */
export class HttpHeaders implements Iterable<readonly [name: string, value: string]> {
  /** Copies hold the same list: whoever changes it makes one of its own first. So a copy costs nothing. */
  #list: FieldList = new FieldList([], 0);
  #shared = false;

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
    headers.#list = new FieldList(flat, fit ? flat.length : 0);
    return headers;
  }

  get size(): number {
    return this.#list.flat.length / 2;
  }

  /** All values of a field joined by a comma (RFC 9110 §5.3), or undefined. Not for `set-cookie`: see {@link getAll}. */
  get(name: string): string | undefined {
    const { flat } = this.#list;
    let joined: string | undefined;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] !== name) continue;
      const value = flat[i + 1] as string;
      joined = joined === undefined ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  /** @param name in lower case, here and below. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.#list.flat.length; i += 2) {
      if (this.#list.flat[i] === name) values.push(this.#list.flat[i + 1] as string);
    }
    return values;
  }

  has(name: string): boolean {
    const { flat } = this.#list;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return true;
    return false;
  }

  append(name: string, value: string): void {
    this.#own().flat.push(name.toLowerCase(), value);
  }

  /** Replaces every field of that name by one. */
  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    this.delete(lower);
    this.#own().flat.push(lower, value);
  }

  delete(name: string): void {
    if (this.has(name)) this.deleteWhere((field) => field === name);
  }

  /** Removes every field for which `test` is true. */
  deleteWhere(test: (name: string) => boolean): void {
    const flat = this.#list.flat;
    let at = 0;
    while (at < flat.length && !test(flat[at] as string)) at += 2;
    if (at < flat.length) this.#deleteFrom(at, test);
  }

  /** @param first where the first one is that goes: `test` has been asked about it and those before it */
  #deleteFrom(first: number, test: (name: string) => boolean): void {
    const list = this.#own();
    const { flat, fit } = list;
    let kept = first; // those before it stay, in their order
    if (first < fit) list.fit -= 2;
    for (let i = first + 2; i < flat.length; i += 2) {
      const name = flat[i] as string;
      if (test(name)) {
        if (i < fit) list.fit -= 2;
        continue;
      }
      flat[kept] = name;
      flat[kept + 1] = flat[i + 1] as string;
      kept += 2;
    }
    flat.length = kept;
  }

  /** The first field for which `test` is true, without the cost of an iterator. */
  find(test: (name: string, value: string) => boolean): readonly [name: string, value: string] | undefined {
    for (let i = 0; i < this.#list.flat.length; i += 2) {
      const name = this.#list.flat[i] as string;
      const value = this.#list.flat[i + 1] as string;
      if (test(name, value)) return [name, value];
    }
    return undefined;
  }

  /** Calls `visit` for each field, in order, without the cost of an iterator. */
  forEach(visit: (name: string, value: string) => void): void {
    const { flat } = this.#list;
    for (let i = 0; i < flat.length; i += 2) visit(flat[i] as string, flat[i + 1] as string);
  }

  copy(): HttpHeaders {
    const copy = new HttpHeaders();
    copy.#list = this.#list;
    copy.#shared = true;
    this.#shared = true;
    return copy;
  }

  /** The first field that cannot be part of a message, by the grammar of RFC 9110 §5: it could end and begin another one. */
  unfit(): readonly [name: string, value: string] | undefined {
    const list = this.#list;
    const { flat } = list;
    for (let i = list.fit; i < flat.length; i += 2) {
      const name = flat[i] as string;
      const value = flat[i + 1] as string;
      if (!isFieldName(name) || !isFieldValue(value)) return [name, value];
      list.fit = i + 2;
    }
    return undefined;
  }

  /** name, value, name, value, …: a new array, as Node's own raw lists are. */
  toFlat(): string[] {
    return this.#list.flat.slice();
  }

  /** As they stand in a message: `name: value`, each with its line end. */
  toLines(): string {
    const list = this.#list;
    list.lines ??= linesOf(list.flat);
    return list.lines;
  }

  /** The list, about to be changed. */
  #own(): FieldList {
    if (this.#shared) {
      this.#list = new FieldList(this.#list.flat.slice(), this.#list.fit);
      this.#shared = false;
    } else this.#list.lines = undefined;
    return this.#list;
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#list.flat.length; i += 2)
      yield [this.#list.flat[i] as string, this.#list.flat[i + 1] as string];
  }
}

/** What copies share until one of them is changed. */
class FieldList {
  /** name, value, name, value, … */
  readonly flat: string[];
  /** So many elements, from the first one on, are known to be names and values that may be sent. */
  fit: number;
  /** As they stand in a message, once somebody has asked. */
  lines: string | undefined = undefined;

  constructor(flat: string[], fit: number) {
    this.flat = flat;
    this.fit = fit;
  }
}

function linesOf(flat: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < flat.length; i += 2) lines += `${flat[i]}: ${flat[i + 1]}\r\n`;
  return lines;
}
