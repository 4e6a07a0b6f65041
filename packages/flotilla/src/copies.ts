import { AsyncLocalStorage } from 'node:async_hooks';

/** One running start of an application. A process has one; a fleet in one process may run several copies of it. */
export type Copy = object;

/** For whoever has no copies. */
export const onlyCopy: Copy = Object.freeze({});

const storage = new AsyncLocalStorage<Copy>();

/** Runs `work`, and everything that it starts, as part of `copy`. */
export function runInCopy<T>(copy: Copy, work: () => T): T {
  return storage.run(copy, work);
}

/**
 * What each running copy of an application has of its own: its open database, its connected client. Code of the
 * application names it once, and gets that of the copy which runs the code.
 *
 * With one copy, as in every process of its own, it is simply that one's: nothing is looked up.
 */
export class PerCopy<T> {
  readonly #values = new Map<Copy, T>();
  #first: T | undefined;

  /** Of the copy that the running code belongs to; for code that belongs to none, of the copy that started first. */
  get current(): T | undefined {
    const copy = this.#values.size > 1 ? storage.getStore() : undefined;
    return copy ? this.#values.get(copy) : this.#first;
  }

  get(copy: Copy): T | undefined {
    return this.#values.get(copy);
  }

  set(copy: Copy, value: T): void {
    this.#values.set(copy, value);
    this.#findFirst();
  }

  delete(copy: Copy): void {
    this.#values.delete(copy);
    this.#findFirst();
  }

  #findFirst(): void {
    this.#first = this.#values.values().next().value;
  }
}
