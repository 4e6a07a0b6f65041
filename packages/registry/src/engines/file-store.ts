import { dirname } from 'node:path';
import { FlotillaError, type Logger, nullLogger } from '@flotilla/core';
import type { StoredState } from '../lease/stored-state.ts';
import type { RegistryStore } from '../server/store.ts';
import { codeOf, type Disk, nodeDisk } from './disk.ts';
import { claim, release } from './process-lock.ts';
import {
  headerBytes,
  readGeneration,
  readStateFile,
  type StateFile,
  type StateFileFault,
  stateVersion,
  writeStateFile,
} from './state-file.ts';

/** What a file store may be told. */
export interface FileStoreOptions {
  /** The file; its folder must exist. */
  readonly path: string;
  readonly logger?: Logger;
  /**
   * What to do with a damaged file. `refuse` (default): the registry does not start, so that somebody looks. `startEmpty`:
   * it is kept under another name, said loudly, and the registry starts as if it had none: it warms up, instances
   * register again within a renewal.
   */
  readonly onDamaged?: 'refuse' | 'startEmpty';
  readonly disk?: Disk;
}

/** What leaves the disk as it was and may pass: the next save tries again. */
const passing: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'EACCES', 'ENOENT']);

/**
 * A registry's state in one file, replaced as a whole: written beside it, synced, renamed, the folder synced. A crash
 * at any moment leaves the old file or the new one. A damaged file is not read, one of a newer version neither; another
 * process that uses it is noticed before and, by the generation, even while saving.
 */
export function fileStore(options: FileStoreOptions): RegistryStore {
  const { path, onDamaged = 'refuse', logger = nullLogger, disk = nodeDisk } = options;
  let generation = 0;
  /** After a failed sync nobody knows what the disk holds: nothing is acknowledged until the file was read anew. */
  let broken: FlotillaError | undefined;
  let claimed = false;

  const load = async (): Promise<StoredState | undefined> => {
    await claim(path, disk).catch((cause) => {
      throw failed('be claimed', path, cause);
    });
    claimed = true;
    const bytes = await disk.read(path).catch((cause) => {
      throw failed('be read', path, cause);
    });
    if (!bytes) return undefined;
    const file = readStateFile(bytes);
    if (!('fault' in file)) {
      generation = file.generation;
      return file.state;
    }
    if (file.fault !== 'damaged' || onDamaged === 'refuse') throw refusal(path, file);
    await putAside(path, file, disk, logger);
    return undefined;
  };

  const save = async (state: StoredState): Promise<void> => {
    if (broken) throw broken;
    const next = generation + 1;
    try {
      await replace(path, { generation: next, state }, generation, disk);
      generation = next;
    } catch (cause) {
      const error = failed('be saved', path, cause);
      if (!passing.has(codeOf(cause) ?? '')) broken = error;
      throw error;
    }
    try {
      await disk.syncFolder(dirname(path));
    } catch (cause) {
      broken = failed('be saved', path, cause);
      throw broken;
    }
  };

  const close = async (): Promise<void> => {
    if (claimed) await release(path, disk).catch(() => undefined);
    claimed = false;
  };

  return {
    load: () =>
      load().catch(async (error) => {
        await close();
        throw error;
      }),
    save,
    close,
  } satisfies RegistryStore;
}

async function replace(path: string, file: StateFile, expected: number, disk: Disk): Promise<void> {
  const present = await disk.read(path, headerBytes);
  const found = present ? readGeneration(present) : undefined;
  if (found !== undefined && found !== expected) {
    throw new FlotillaError(
      'STORE_FAILED',
      `another process writes "${path}": it holds generation ${found}, this registry wrote ${expected}`,
    );
  }
  const temporary = `${path}.new`;
  await disk.write(temporary, await writeStateFile(file, nextTurn));
  await disk.rename(temporary, path);
}

async function putAside(path: string, { detail }: StateFileFault, disk: Disk, logger: Logger): Promise<void> {
  const aside = `${path}.damaged`;
  await disk.rename(path, aside).catch((cause) => {
    throw failed('be put aside', path, cause);
  });
  logger.error('the saved state of the registry is damaged; starting empty, as ordered', {
    path,
    detail,
    keptAs: aside,
  });
}

function refusal(path: string, { fault, detail }: StateFileFault): FlotillaError {
  const todo = {
    damaged: 'restore it, remove it, or set onDamaged to "startEmpty": instances register again within a renewal',
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
  const reason = codeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return new FlotillaError('STORE_FAILED', `the registry's state cannot ${action} in "${path}": ${reason}`, { cause });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
