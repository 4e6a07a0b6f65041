import type { InstanceKey } from '../lease/lease-table.ts';
import { type LocalChange, withChange } from './local-changes.ts';
import { type Kept, keyText } from './record-text.ts';

/** What this node was told of one instance and the engine does not have yet. */
export class Pending {
  readonly key: InstanceKey;
  readonly text: string;
  /** Not in any write yet. */
  #waiting: readonly LocalChange[] = [];
  /** In the write that is under way. */
  #writing: readonly LocalChange[] = [];
  /** Numbers of what waits, and of what is in the write. */
  #waitingNumbers: number[] = [];
  #writingNumbers: number[] = [];
  /** Writes in a row that came to nothing. */
  failures = 0;
  /** The newest record of others that came while a write was under way. */
  seen: { readonly kept: Kept | undefined; readonly revision: number } | undefined;

  constructor(key: InstanceKey) {
    this.key = key;
    this.text = keyText(key);
  }

  /** All changes that the engine may not have, in their order. */
  get changes(): readonly LocalChange[] {
    return this.#waiting.reduce(withChange, this.#writing);
  }

  get isWriting(): boolean {
    return this.#writing.length > 0;
  }

  add(change: LocalChange, number: number): void {
    this.#waiting = withChange(this.#waiting, change);
    this.#waitingNumbers.push(number);
  }

  /** Everything that waits goes into a write. */
  begin(): void {
    this.#writing = this.changes;
    this.#writingNumbers.push(...this.#waitingNumbers);
    this.#waiting = [];
    this.#waitingNumbers = [];
    this.seen = undefined;
  }

  /** The engine has what was in the write. @returns the numbers of it. */
  written(): readonly number[] {
    const numbers = this.#writingNumbers;
    this.#writing = [];
    this.#writingNumbers = [];
    this.failures = 0;
    return numbers;
  }

  /** It does not, or nobody knows: it waits again. */
  failed(): void {
    this.#waiting = this.changes;
    this.#waitingNumbers = [...this.#writingNumbers, ...this.#waitingNumbers];
    this.#writing = [];
    this.#writingNumbers = [];
    this.failures++;
  }
}

/** Which of the changes so far are settled, told in their order. */
export class Settlement {
  /** Numbers of changes that are not: the first is the lowest, since they are added rising. */
  readonly #open = new Set<number>();
  #waiters: { readonly upTo: number; readonly resolve: () => void }[] = [];
  #last = 0;

  /** @returns the number of one more change. */
  opened(): number {
    this.#open.add(++this.#last);
    return this.#last;
  }

  closed(numbers: readonly number[]): void {
    for (const number of numbers) this.#open.delete(number);
    const [lowest = Infinity] = this.#open;
    let done = 0;
    while ((this.#waiters[done]?.upTo ?? Infinity) < lowest) this.#waiters[done++]?.resolve();
    if (done > 0) this.#waiters = this.#waiters.slice(done);
  }

  /** Resolves when every change so far is settled, or {@link giveUp}. */
  settled(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ upTo: this.#last, resolve }));
  }

  /** Nobody waits any longer. */
  giveUp(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve } of waiters) resolve();
  }
}
