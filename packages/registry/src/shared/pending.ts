import type { InstanceKey } from '../lease/lease-table.ts';
import { type LocalChange, withChange } from './local-changes.ts';
import { type Kept, keyText } from './record-text.ts';

/** Told once: the engine has it, or nobody waits any longer. */
export type Waiter = () => void;

/** What this node was told of one instance and the engine does not have yet. */
export class Pending {
  readonly key: InstanceKey;
  readonly text: string;
  /** Not in any write yet, and who waits for it. */
  #waiting: readonly LocalChange[] = [];
  #waiters: readonly Waiter[] = [];
  /** In the write that is under way, and who waits for that. */
  #writing: readonly LocalChange[] = [];
  #writers: readonly Waiter[] = [];
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

  add(change: LocalChange): void {
    this.#waiting = withChange(this.#waiting, change);
  }

  /** @param waiter of all changes so far. */
  wait(waiter: Waiter): void {
    if (this.#waiting.length > 0) this.#waiters = [...this.#waiters, waiter];
    else this.#writers = [...this.#writers, waiter];
  }

  /** Everything that waits goes into a write. */
  begin(): void {
    this.#writing = this.changes;
    this.#writers = [...this.#writers, ...this.#waiters];
    this.#waiting = [];
    this.#waiters = [];
    this.seen = undefined;
  }

  /** The engine has what was in the write. @returns who waited for that. */
  written(): readonly Waiter[] {
    const writers = this.#writers;
    this.#writing = [];
    this.#writers = [];
    this.failures = 0;
    return writers;
  }

  /** It does not, or nobody knows: it waits again. */
  failed(): void {
    this.#waiting = this.changes;
    this.#waiters = [...this.#writers, ...this.#waiters];
    this.#writing = [];
    this.#writers = [];
    this.failures++;
  }

  /** @returns everybody who waited, and does no longer. */
  giveUp(): readonly Waiter[] {
    const all = [...this.#writers, ...this.#waiters];
    this.#writers = [];
    this.#waiters = [];
    return all;
  }
}
