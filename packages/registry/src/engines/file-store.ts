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

/**
 * A registry's state in one file, replaced as a whole: written beside it, synced, renamed, the folder synced. A crash
 * at any moment leaves the old file or the new one. A damaged file is not read, one of a newer version neither; another
 * process that uses it is noticed before and, by the generation, even while saving.
 */
export function fileStore(options: FileStoreOptions): RegistryStore {
  const { path, onDamaged = 'startEmpty', maxBytes = 536_870_912, logger = nullLogger, disk = nodeDisk } = options;
  let generation = 0;
  /** After a failed sync nobody knows what the disk holds: nothing is acknowledged until the file was read anew. */
  let broken: FlotillaError | undefined;
  let claimed = false;

  const load = async (): Promise<StoredState | undefined> => {
    await claim(path, disk).then(
      () => {
        claimed = true;
      },
      (cause) => {
        if (!full.has(codeOf(cause) ?? '')) throw failed('be claimed', path, cause);
        // Whoever finds no registry is worse off than with one that cannot save; a second writer would still be noticed.
        logger.error('the disk is full: the file of the registry is used without a lock', { path, cause });
      },
    );
    const file = await readFile(path, maxBytes, disk).catch((cause) => {
      throw failed('be read', path, cause);
    });
    if (!file) return undefined;
    if (!('fault' in file)) {
      generation = file.generation;
      return file.state;
    }
    if (file.fault === 'foreign' || onDamaged === 'refuse') throw refusal(path, file);
    await putAside(path, file, disk, logger);
    return undefined;
  };

  const save = async (state: StoredState): Promise<void> => {
    if (broken) throw broken;
    const next = generation + 1;
    try {
      await replace(path, { generation: next, state }, { generation, maxBytes }, disk);
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

async function readFile(path: string, maxBytes: number, disk: Disk): Promise<StateFile | StateFileFault | undefined> {
  const size = await disk.size(path);
  if (size !== undefined && size > maxBytes) {
    return { fault: 'damaged', detail: `it has ${size} bytes; the limit is ${maxBytes}` };
  }
  const bytes = await disk.read(path);
  return bytes && readStateFile(bytes);
}

async function replace(
  path: string,
  file: StateFile,
  expected: { readonly generation: number; readonly maxBytes: number },
  disk: Disk,
): Promise<void> {
  const present = await disk.read(path, headerBytes);
  const found = present ? readGeneration(present) : undefined;
  if (found !== undefined && found !== expected.generation) {
    throw new FlotillaError(
      'STORE_FAILED',
      `another process writes "${path}": it holds generation ${found}, this registry wrote ${expected.generation}`,
    );
  }
  const chunks = await writeStateFile(file, nextTurn);
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  if (bytes > expected.maxBytes) {
    const detail = `EFBIG: the state has ${bytes} bytes; the limit is ${expected.maxBytes}`;
    throw Object.assign(new Error(detail), { code: 'EFBIG' });
  }
  const temporary = `${path}.new`;
  try {
    await disk.write(temporary, chunks);
    await disk.rename(temporary, path);
  } catch (cause) {
    await disk.remove(temporary).catch(() => undefined); // it would hold the room that is missing
    throw cause;
  }
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
