import { dirname } from 'node:path';
import type { StoredChange } from '../lease/stored-state.ts';
import type { Disk, DiskLog } from './disk.ts';
import { journalBatch, journalHead } from './journal-file.ts';
import { nextTurn } from './next-turn.ts';

/** What a {@link Journal} needs. */
export interface JournalParts {
  /** Of the state file. */
  readonly path: string;
  readonly disk: Disk;
  /** The generation of the state file beside which it begins. */
  readonly base: number;
  /** More bytes are an error, EFBIG. */
  readonly maxBytes: number;
}

/** A larger batch is several, so that none holds up the loop: some milliseconds of work. */
const changesPerBatch = 1_000;
/** So many are worth a write at once; of fewer, more may be on their way. What a write costs is then little for each. */
const worthAWrite = 16;

/** The journal beside a state file whose first batch has that number. */
export function journalPath(path: string, first: number): string {
  return `${path}.journal-${first}`;
}

/**
 * Writes changes at the end of a file. Whatever comes while the disk is busy, and until a turn of the event loop brings
 * nothing new or they are {@link worthAWrite}, is one write and one sync: with the load of a registry grow its batches. The
 * file is made with the first batch, or by {@link open}.
 *
 * | state | a change | exits |
 * |---|---|---|
 * | writing | gets into the next batch | a write failed → failed; sealed |
 * | failed | is dropped, and every flush fails | none: a whole save begins another one |
 */
export class Journal {
  readonly #parts: JournalParts;
  #log: DiskLog | undefined;
  #pending: StoredChange[] = [];
  #first = 0;
  #nextBatch = 0;
  #bytes = 0;
  /** The batch on its way to the disk. */
  #writing: Promise<void> | undefined;
  /** The batch that is gathered. */
  #gathering: Promise<void> | undefined;
  #failed: unknown;

  /** @param after the number of its first batch, or the journal that it goes on from, which ends with that. */
  constructor(parts: JournalParts, after: number | Journal) {
    this.#parts = parts;
    if (typeof after === 'number') this.#begin(after);
    else {
      this.#writing = after.#seal().then(() => {
        this.#begin(after.#nextBatch);
        this.#writing = undefined;
      });
    }
  }

  /** The number of its first batch. */
  get first(): number {
    return this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Why changes are missing in it; undefined: none are. */
  get failure(): unknown {
    return this.#failed;
  }

  /** No batch is in it. */
  get empty(): boolean {
    return this.#nextBatch === this.#first;
  }

  append(change: StoredChange): void {
    if (this.#failed !== undefined) return;
    this.#pending.push(change);
    if (this.#gathering) return;
    this.#gathering = this.#commit(this.#writing ?? nextTurn());
    this.#gathering.catch(nothing); // whoever flushes is told
  }

  /** Resolves when everything so far is on the disk: one promise for all that is in one batch. */
  flush(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    return this.#gathering ?? this.#writing ?? Promise.resolve();
  }

  /** Makes the file, so that another process that uses the same state notices. Never rejects: a flush will. */
  async open(): Promise<void> {
    try {
      await this.#write(this.#head());
    } catch (thrown) {
      this.#failed = thrown;
    }
  }

  /** Ends it: resolves when all is on the disk, or cannot be brought there. Never rejects. */
  close(): Promise<void> {
    return this.#seal();
  }

  #begin(first: number): void {
    this.#first = first;
    this.#nextBatch = first;
  }

  #head(): Buffer {
    return journalHead({ first: this.#first, base: this.#parts.base });
  }

  async #seal(): Promise<void> {
    await this.flush().catch(nothing);
    const log = this.#log;
    if (!log) return;
    await log.close().catch(nothing);
    this.#log = undefined;
    const { path, disk } = this.#parts;
    if (this.empty) await disk.remove(journalPath(path, this.#first)).catch(nothing);
  }

  async #commit(before: Promise<void>): Promise<void> {
    await before;
    for (let seen = 0; seen < this.#pending.length && this.#pending.length < worthAWrite; ) {
      seen = this.#pending.length;
      await nextTurn();
    }
    const changes = this.#pending;
    this.#pending = [];
    this.#writing = this.#gathering;
    this.#gathering = undefined;
    try {
      for (let from = 0; from < changes.length; from += changesPerBatch) {
        if (from > 0) await nextTurn();
        await this.#writeBatch(changes.slice(from, from + changesPerBatch));
      }
    } catch (thrown) {
      this.#failed = thrown;
      this.#pending = [];
      throw thrown;
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeBatch(changes: readonly StoredChange[]): Promise<void> {
    const batch = journalBatch(this.#nextBatch, changes);
    await this.#refuseSecondWriter();
    await this.#write(this.#log ? batch : Buffer.concat([this.#head(), batch]));
    this.#nextBatch++;
  }

  async #write(bytes: Buffer): Promise<void> {
    const { path, disk, maxBytes } = this.#parts;
    const after = this.#bytes + bytes.length;
    if (after > maxBytes) {
      const detail = `EFBIG: the journal would have ${after} bytes; the limit is ${maxBytes}`;
      throw Object.assign(new Error(detail), { code: 'EFBIG' });
    }
    const isNew = !this.#log;
    this.#log ??= await disk.openLog(journalPath(path, this.#first));
    await this.#log.append(bytes);
    if (isNew) await disk.syncFolder(dirname(path));
    this.#bytes = after;
  }

  /** Who took the state over begins a journal with the batch that would be ours. */
  async #refuseSecondWriter(): Promise<void> {
    const { path, disk } = this.#parts;
    if (this.empty) return; // making the file finds out
    const theirs = journalPath(path, this.#nextBatch);
    if ((await disk.size(theirs)) === undefined) return;
    throw Object.assign(new Error(`another process writes beside "${path}": it began "${theirs}"`), { code: 'EEXIST' });
  }
}

function nothing(): void {}
