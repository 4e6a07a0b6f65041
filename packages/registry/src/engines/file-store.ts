import { dirname } from 'node:path';
import { FlotillaError, type Logger, nullLogger } from '@flotilla/core';
import type { StateDraft, StoredChange, StoredState } from '../lease/stored-state.ts';
import type { RegistryStore } from '../server/store.ts';
import { codeOf, type Disk, nodeDisk } from './disk.ts';
import { Journal } from './journal.ts';
import { type Journals, readJournals, removeJournalsBefore } from './journals.ts';
import { nextTurn } from './next-turn.ts';
import { claim, release } from './process-lock.ts';
import {
  headerBytes,
  readGeneration,
  readStateFile,
  type StateFile,
  type StateFileFault,
  stateFileOf,
  stateVersion,
} from './state-file.ts';

/** What a file store may be told. */
export interface FileStoreOptions {
  /** The file; its folder must exist. */
  readonly path: string;
  readonly logger?: Logger;
  /**
   * What to do with a file that is damaged, too large or of a newer version. `startEmpty` (default): it is kept under
   * another name, said loudly, and the registry starts as if it had none: it warms up, instances register again within a
   * renewal. `refuse`: the registry does not start, so that somebody looks. A file of somebody else is always refused.
   */
  readonly onDamaged?: 'refuse' | 'startEmpty';
  /** A larger file is neither read nor written. Default 512 MB: 200,000 instances of 2 kB fit. */
  readonly maxBytes?: number;
  readonly disk?: Disk;
}

/** The disk has no room. */
const full: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
/** What leaves the disk as it was and may pass: the next save tries again. */
const passing: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EROFS',
  'EMFILE',
  'ENFILE',
  'EACCES',
  'ENOENT',
]);

/** A journal of this size is worth a whole save, and one of this share of the state file, whichever is more. */
const crowdedBytes = 16_777_216;
const crowdedShare = 2;
/** Whatever the state's size: what a start has to read beside it. */
const mostCrowdedBytes = 67_108_864;

/**
 * A registry's state in a file and a journal of the changes since. The file is replaced as a whole: written beside it,
 * synced, renamed, the folder synced; a crash at any moment leaves the old file or the new one. The journal only grows,
 * until a whole save stands for it; a last write that was cut off is left out, and said. What is damaged is not read,
 * of a newer version neither; another process that uses the file is noticed before, while appending and, by the
 * generation, while saving.
 */
export function fileStore(options: FileStoreOptions): RegistryStore {
  return new FileStore(options);
}

class FileStore implements RegistryStore {
  readonly #options: Required<FileStoreOptions>;
  #generation = 0;
  #stateBytes = 0;
  #journal: Journal;
  /** Journals of an earlier process are still needed. */
  #replayed = false;
  /** Why changes are missing in the journals so far. */
  #hole: unknown;
  /** After a failed sync nobody knows what the disk holds: nothing is acknowledged until the file was read anew. */
  #broken: FlotillaError | undefined;
  #claimed = false;
  #flushing: { readonly journaled: Promise<void>; readonly kept: Promise<void> } | undefined;

  constructor(options: FileStoreOptions) {
    this.#options = { onDamaged: 'startEmpty', maxBytes: 536_870_912, logger: nullLogger, disk: nodeDisk, ...options };
    this.#journal = this.#newJournal(1);
  }

  get crowded(): boolean {
    const worthIt = Math.max(crowdedBytes, Math.min(crowdedShare * this.#stateBytes, mostCrowdedBytes));
    return this.#replayed || this.#journal.bytes >= worthIt;
  }

  load(): Promise<StoredState | undefined> {
    return this.#load().catch(async (error) => {
      await this.close();
      throw error;
    });
  }

  append(change: StoredChange): void {
    if (!this.#broken) this.#journal.append(change);
  }

  /** One promise for all that is in one batch of the journal: hundreds may wait for it. */
  flush(): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken);
    const journaled = this.#journal.flush();
    if (this.#flushing?.journaled !== journaled) this.#flushing = { journaled, kept: this.#kept(journaled) };
    return this.#flushing.kept;
  }

  async #kept(journaled: Promise<void>): Promise<void> {
    try {
      await journaled;
      if (this.#hole !== undefined) throw this.#hole;
    } catch (cause) {
      throw this.#failure('be added to', cause);
    }
  }

  async save(draft: StateDraft): Promise<void> {
    if (this.#broken) throw this.#broken;
    const { path, disk } = this.#options;
    try {
      await refuseSecondWriter(path, this.#generation, disk);
      const before = this.#journal;
      // From here on changes go into the next journal, so that all that is not there is in the draft.
      this.#journal = this.#newJournal(before);
      await this.#journal.flush();
      this.#hole ??= before.failure;
      await this.#replace(draft, this.#journal.first);
    } catch (cause) {
      throw this.#failure('be saved', cause);
    }
    this.#hole = undefined;
    this.#replayed = false;
    await removeJournalsBefore(this.#journal.first, path, disk).catch(() => undefined); // the next save tries again
  }

  async close(): Promise<void> {
    const { path, disk } = this.#options;
    if (!this.#claimed) return;
    this.#claimed = false;
    await this.#journal.close();
    await release(path, disk).catch(() => undefined);
  }

  async #load(): Promise<StoredState | undefined> {
    await this.#claim();
    const { path, maxBytes, disk } = this.#options;
    const file = await this.#reading(readStateOf(path, maxBytes, disk));
    const usable = file && !('fault' in file) ? file : undefined;
    if (file && 'fault' in file) await this.#putAside(path, file);
    this.#generation = usable?.generation ?? 0;
    this.#stateBytes = (await this.#reading(disk.size(path))) ?? 0;
    const journals = await this.#reading(readJournals({ path, disk, file: usable, maxBytes }));
    const state = journals.replay?.result() ?? usable?.state;
    await this.#tidy(journals, state);
    await this.#journal.open();
    const incomplete = journals.unusable.length > 0;
    return state && { ...state, ...(incomplete ? { incomplete } : undefined) };
  }

  async #claim(): Promise<void> {
    const { path, disk, logger } = this.#options;
    try {
      await claim(path, disk);
      this.#claimed = true;
    } catch (cause) {
      if (!full.has(codeOf(cause) ?? '')) throw failed('be claimed', path, cause);
      // Whoever finds no registry is worse off than with one that cannot save; a second writer would still be noticed.
      logger.error('the disk is full: the file of the registry is used without a lock', { path, cause });
    }
  }

  /** Says what is lost, and keeps it aside; what was read in spite of it is saved whole before. */
  async #tidy({ replay, next, torn, unusable }: Journals, state: StoredState | undefined): Promise<void> {
    const { path, onDamaged, logger } = this.#options;
    const [worst] = unusable;
    if (worst && onDamaged === 'refuse') throw refusal(worst.path, worst);
    for (const facts of torn) {
      logger.warn('the last write of the registry was cut off; nobody was promised what it would have said', facts);
    }
    this.#journal = this.#newJournal(next);
    this.#replayed = replay !== undefined;
    if (!worst) return;
    if (state) {
      try {
        await this.#replace(state, next);
      } catch (cause) {
        logger.error('the damaged journal of the registry stays where it is: its state cannot be saved', {
          path,
          cause,
        });
        return;
      }
      this.#journal = this.#newJournal(next);
    }
    for (const { path: where, ...fault } of unusable) await this.#putAside(where, fault);
  }

  async #replace(draft: StateDraft, journal: number): Promise<void> {
    const { path, disk, maxBytes } = this.#options;
    const generation = this.#generation + 1;
    const temporary = `${path}.new`;
    try {
      await disk.write(temporary, stateFileOf({ generation, journal, draft, maxBytes, turn: nextTurn }));
      await disk.rename(temporary, path);
    } catch (cause) {
      await disk.remove(temporary).catch(() => undefined); // it would hold the room that is missing
      throw cause;
    }
    this.#generation = generation;
    await disk.syncFolder(dirname(path)).catch((cause) => {
      this.#broken = failed('be saved', path, cause);
      throw this.#broken;
    });
    this.#stateBytes = (await disk.size(path)) ?? 0;
  }

  #newJournal(after: number | Journal): Journal {
    const { path, disk, maxBytes } = this.#options;
    return new Journal({ path, disk, maxBytes, base: this.#generation }, after);
  }

  async #putAside(path: string, fault: StateFileFault): Promise<void> {
    const { onDamaged, disk, logger } = this.#options;
    if (fault.fault === 'foreign' || onDamaged === 'refuse') throw refusal(path, fault);
    await putAside(path, fault, disk, logger);
  }

  #reading<T>(read: Promise<T>): Promise<T> {
    return read.catch((cause) => {
      throw failed('be read', this.#options.path, cause);
    });
  }

  #failure(action: string, cause: unknown): FlotillaError {
    const error = failed(action, this.#options.path, cause);
    if (!passing.has(codeOf(cause) ?? '')) this.#broken ??= error;
    return error;
  }
}

async function readStateOf(
  path: string,
  maxBytes: number,
  disk: Disk,
): Promise<StateFile | StateFileFault | undefined> {
  const size = await disk.size(path);
  if (size !== undefined && size > maxBytes) {
    return { fault: 'damaged', detail: `it has ${size} bytes; the limit is ${maxBytes}` };
  }
  const bytes = await disk.read(path);
  return bytes && readStateFile(bytes);
}

async function refuseSecondWriter(path: string, generation: number, disk: Disk): Promise<void> {
  const present = await disk.read(path, headerBytes);
  const found = present ? readGeneration(present) : undefined;
  if (found === undefined || found === generation) return;
  throw new FlotillaError(
    'STORE_FAILED',
    `another process writes "${path}": it holds generation ${found}, this registry wrote ${generation}`,
  );
}

/** Never over what was put aside before. */
async function putAside(path: string, { fault, detail }: StateFileFault, disk: Disk, logger: Logger): Promise<void> {
  const names = Array.from({ length: mostAside }, (_, n) => `${path}.${fault}${n === 0 ? '' : `-${n + 1}`}`);
  let aside: string | undefined;
  for (const name of names) {
    if ((await disk.size(name)) !== undefined) continue;
    aside = name;
    break;
  }
  if (aside === undefined) {
    throw new FlotillaError(
      'STORE_FAILED',
      `the registry's state in "${path}" cannot be used: ${detail}; ${mostAside} files of that kind are beside it already. Look at the disk, then remove them`,
    );
  }
  await disk.rename(path, aside).catch((cause) => {
    throw failed('be put aside', path, cause);
  });
  logger.error('the saved state of the registry cannot be used; starting without it, warming up', {
    path,
    fault,
    detail,
    keptAs: aside,
  });
}

/** Files put aside, of each kind. */
const mostAside = 9;

function refusal(path: string, { fault, detail }: StateFileFault): FlotillaError {
  const todo = {
    damaged: 'restore it, or set onDamaged to "startEmpty": it is kept, instances register again within a renewal',
    newer: `start the newer program again, or remove the file: version ${stateVersion} cannot read it`,
    foreign: 'name another file',
  }[fault];
  return new FlotillaError(
    'STORE_FAILED',
    `the registry's state in "${path}" cannot be used: ${detail}. To go on, ${todo}`,
  );
}

function failed(action: string, path: string, cause: unknown): FlotillaError {
  if (cause instanceof FlotillaError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FlotillaError('STORE_FAILED', `the registry's state cannot ${action} in "${path}": ${reason}`, { cause });
}
