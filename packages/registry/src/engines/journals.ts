import { basename, dirname } from 'node:path';
import { StateReplay } from '../lease/stored-state.ts';
import type { Disk } from './disk.ts';
import { journalPath } from './journal.ts';
import { type JournalFault, type JournalFile, readJournal } from './journal-file.ts';
import type { StateFile } from './state-file.ts';

/** What the journals beside a state file make of it. */
export interface Journals {
  /** The state with their changes; undefined when they hold none. */
  readonly replay: StateReplay | undefined;
  /** The number of the batch that comes next. */
  readonly next: number;
  /** Writes that were cut off. */
  readonly torn: readonly { readonly path: string; readonly bytes: number }[];
  /** Journals that cannot be used, or not to their end: what they said from there on is lost. */
  readonly unusable: readonly (JournalFault & { readonly path: string })[];
}

/** What {@link readJournals} is told. */
export interface JournalsParts {
  readonly path: string;
  readonly disk: Disk;
  /** The state file; undefined when there is none. */
  readonly file: StateFile | undefined;
  /** A larger journal is not read. */
  readonly maxBytes: number;
}

/** Reads the journals that belong to a state file, in their order, up to the first change that is missing. */
export async function readJournals({ path, disk, file, maxBytes }: JournalsParts): Promise<Journals> {
  let replay: StateReplay | undefined;
  let next = file?.journal;
  const torn: { path: string; bytes: number }[] = [];
  const unusable: (JournalFault & { path: string })[] = [];
  for (const number of await journalNumbers(path, disk)) {
    if (next !== undefined && number < next) continue; // its changes are in the state file
    const where = journalPath(path, number);
    const { file: journal, fault } = await readOne(where, number, maxBytes, disk);
    const isEmpty = journal?.next === number && !fault;
    if (isEmpty) await disk.remove(where); // the one that is begun next may have its number
    if (journal && journal.tornBytes > 0 && !fault) torn.push({ path: where, bytes: journal.tornBytes });
    if (isEmpty) continue;
    const lost = unusable.length > 0 ? lostBefore : misplaced(number, journal, next, file?.generation ?? 0);
    if (lost || fault) unusable.push({ ...(lost ?? (fault as JournalFault)), path: where });
    if (lost || !journal) continue;
    next = journal.next;
    replay ??= new StateReplay(file?.state);
    for (const change of journal.changes) replay.apply(change);
  }
  return { replay, next: next ?? 1, torn, unusable };
}

/** Removes the journals whose changes are in the state file. */
export async function removeJournalsBefore(first: number, path: string, disk: Disk): Promise<void> {
  for (const number of await journalNumbers(path, disk)) {
    if (number < first) await disk.remove(journalPath(path, number));
  }
}

const lostBefore: JournalFault = Object.freeze({ fault: 'damaged', detail: 'changes before it are lost' });

async function readOne(
  path: string,
  number: number,
  maxBytes: number,
  disk: Disk,
): Promise<{ file?: JournalFile; fault?: JournalFault }> {
  const size = (await disk.size(path)) ?? 0;
  if (size > maxBytes) return { fault: { fault: 'damaged', detail: `it has ${size} bytes; the limit is ${maxBytes}` } };
  return readJournal((await disk.read(path)) ?? Buffer.alloc(0), number);
}

/** Whether a journal goes on where the state file, or the journal before it, ended. */
function misplaced(
  number: number,
  journal: JournalFile | undefined,
  next: number | undefined,
  generation: number,
): JournalFault | undefined {
  if (next !== undefined && number !== next) {
    return { fault: 'damaged', detail: `it begins with batch ${number}, and batch ${next} is missing` };
  }
  // A program that keeps no journal says of its state file only the generation.
  if (next !== undefined || !journal || journal.base === generation) return undefined;
  const detail = `it was begun beside generation ${journal.base} of the state, and that is now ${generation}`;
  return { fault: 'damaged', detail };
}

/** Numbers of the journals beside a state file, rising. What was put aside has another name. */
export async function journalNumbers(path: string, disk: Disk): Promise<number[]> {
  const prefix = `${basename(path)}.journal-`;
  const names = (await disk.names(dirname(path))).filter((name) => name.startsWith(prefix));
  return names
    .map((name) => name.slice(prefix.length))
    .filter((number) => /^[1-9]\d{0,14}$/.test(number))
    .map(Number)
    .sort((a, b) => a - b);
}
