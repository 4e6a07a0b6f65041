import { dirname } from 'node:path';
import { FlotillaError } from '@flotilla/core';
import type { StoredState } from '../lease/stored-state.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { journalPath } from './journal.ts';
import { journalNumbers, readJournals } from './journals.ts';
import { nextTurn } from './next-turn.ts';
import { claim, release } from './process-lock.ts';
import { headerBytes, readGeneration, readStateFile, stateFileOf } from './state-file.ts';

/** What a backup or a restore is made with. */
export interface BackupParts {
  /** The state file of the registry. */
  readonly path: string;
  /** The backup: one file, of the same form. */
  readonly backup: string;
  readonly disk?: Disk;
  /** A larger file is neither read nor written. Default 512 MB. */
  readonly maxBytes?: number;
}

/** What a backup holds. */
export interface BackupFacts {
  readonly instances: number;
  readonly tombstones: number;
  /** Of the last change that is in it. */
  readonly revision: number;
  readonly bytes: number;
}

/** A registry that saves meanwhile replaces its files; more often than this within one reading it does not. */
const attempts = 5;
const usualMaxBytes = 536_870_912;

/**
 * Writes the state of a registry into one file: the snapshot with the changes since that are in its journals. The registry
 * may run; what it acknowledged before this began is in the backup.
 * @throws FlotillaError STORE_FAILED when there is no state, it is damaged, or the backup is there already
 */
export async function backUpState(parts: BackupParts): Promise<BackupFacts> {
  const { path, backup, disk = nodeDisk, maxBytes = usualMaxBytes } = parts;
  if ((await disk.size(backup)) !== undefined) {
    throw new FlotillaError('STORE_FAILED', `"${backup}" is there already: name another file for the backup`);
  }
  const state = await readLive(path, maxBytes, disk);
  return writeState(state, { to: backup, generation: 1, maxBytes, disk });
}

/**
 * Puts a backup where a registry that is stopped finds its state. What was there before is kept beside it, as
 * `<path>.before-restore`. When the registry starts, each lease of the backup has a full term: who is not there any more lapses
 * after that, who came since registers again within a renewal.
 * @throws FlotillaError STORE_FAILED when the registry runs, or the backup cannot be used
 */
export async function restoreState(parts: BackupParts): Promise<BackupFacts> {
  const { path, backup, disk = nodeDisk, maxBytes = usualMaxBytes } = parts;
  const bytes = await disk.read(backup);
  if (!bytes) throw new FlotillaError('STORE_FAILED', `there is no backup "${backup}"`);
  const file = readStateFile(bytes);
  if ('fault' in file) throw new FlotillaError('STORE_FAILED', `the backup "${backup}" cannot be used: ${file.detail}`);
  await claim(path, disk);
  try {
    const head = await disk.read(path, headerBytes);
    await keepAside(path, disk);
    const generation = ((head && readGeneration(head)) ?? 0) + 1;
    return await writeState(file.state, { to: path, generation, maxBytes, disk });
  } finally {
    await release(path, disk);
  }
}

async function readLive(path: string, maxBytes: number, disk: Disk): Promise<StoredState> {
  for (let attempt = 1; ; attempt++) {
    const bytes = await disk.read(path);
    const file = bytes && readStateFile(bytes);
    if (file && 'fault' in file) {
      throw new FlotillaError('STORE_FAILED', `the registry's state in "${path}" cannot be used: ${file.detail}`);
    }
    const { replay, unusable } = await readJournals({ path, disk: onlyRead(disk), file, maxBytes });
    const head = await disk.read(path, headerBytes);
    const unchanged = (head && readGeneration(head)) === file?.generation;
    const [worst] = unusable;
    if (unchanged && !worst) {
      const state = replay?.result() ?? file?.state;
      if (state) return state;
      throw new FlotillaError('STORE_FAILED', `there is no state of a registry in "${path}"`);
    }
    if (attempt === attempts) {
      const detail = worst ? `"${worst.path}": ${worst.detail}` : 'it was replaced each time that it was read';
      throw new FlotillaError('STORE_FAILED', `the registry's state in "${path}" cannot be backed up: ${detail}`);
    }
  }
}

async function writeState(
  state: StoredState,
  { to, generation, maxBytes, disk }: { to: string; generation: number; maxBytes: number; disk: Disk },
): Promise<BackupFacts> {
  const temporary = `${to}.new`;
  try {
    await disk.write(temporary, stateFileOf({ generation, journal: 1, draft: state, maxBytes, turn: nextTurn }));
    await disk.rename(temporary, to);
    await disk.syncFolder(dirname(to));
  } catch (cause) {
    await disk.remove(temporary).catch(() => undefined);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FlotillaError('STORE_FAILED', `"${to}" cannot be written: ${reason}`, { cause });
  }
  const { revision, leases, tombstones } = state;
  const bytes = (await disk.size(to)) ?? 0;
  return { instances: leases.length, tombstones: tombstones.length, revision, bytes };
}

async function keepAside(path: string, disk: Disk): Promise<void> {
  const aside = `${path}.before-restore`;
  const present = [
    ...((await disk.size(path)) === undefined ? [] : [[path, aside] as const]),
    ...(await journalNumbers(path, disk)).map(
      (number) => [journalPath(path, number), journalPath(aside, number)] as const,
    ),
  ];
  for (const [, to] of present) {
    if ((await disk.size(to)) === undefined) continue;
    throw new FlotillaError('STORE_FAILED', `"${to}" is there already, from an earlier restore: remove it first`);
  }
  for (const [from, to] of present) await disk.rename(from, to);
}

/** Reading takes away what an ended process left behind; here that process may live. */
function onlyRead(disk: Disk): Disk {
  return {
    read: (path, firstBytes) => disk.read(path, firstBytes),
    size: (path) => disk.size(path),
    names: (folder) => disk.names(folder),
    write: refuse,
    openLog: refuse,
    create: refuse,
    rename: refuse,
    syncFolder: refuse,
    remove: async () => undefined,
  };
}

function refuse(): never {
  throw new TypeError('a backup changes nothing of what it reads');
}
