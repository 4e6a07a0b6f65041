import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FlotillaError, formatTarget, type Logger, nullLogger, type Target } from '@flotilla/core';
import type { CachedSet, LiveSetCache } from '../live-set-cache.ts';
import { formatStoredSet, parseStoredSet, withoutSecrets } from '../stored-set.ts';

/** Where sets are kept. */
export interface FileCacheOptions {
  /** Made on the first save, readable by its owner only. Several processes may share it: files are replaced as a whole. */
  readonly directory: string;
  readonly logger?: Logger;
  /** A larger file is neither read nor written. Default 16 MB: room for some ten thousand instances. */
  readonly maxBytes?: number;
}

/** A set that was read from disk, for as long as nothing newer was saved: no registry has answered yet. */
export interface SetFromDisk {
  readonly target: string;
  readonly instances: number;
  /** When it was saved, in epoch milliseconds. */
  readonly savedAt: number;
}

/** A cache on disk, and what is used of it. */
export interface FileCache extends LiveSetCache {
  fromDisk(): readonly SetFromDisk[];
}

/** Keeps each target's last known good set in a file of its own. */
export function createFileCache(options: FileCacheOptions): FileCache {
  const { directory, logger = nullLogger, maxBytes = 16_000_000 } = options;
  const fromDisk = new Map<string, SetFromDisk>();
  const note = (target: Target, set: CachedSet | undefined): CachedSet | undefined => {
    const name = formatTarget(target);
    if (!set || set.instances.length === 0) fromDisk.delete(name);
    else fromDisk.set(name, { target: name, instances: set.instances.length, savedAt: set.savedAt });
    return set;
  };
  return {
    fromDisk: () => [...fromDisk.values()],
    async load(target) {
      const file = fileOf(directory, target);
      try {
        const text = await readBounded(file, maxBytes);
        return note(target, text === undefined ? undefined : parseStoredSet(formatTarget(target), text));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        logger.warn('kept instances are unusable', { file, reason });
        return undefined;
      }
    },
    async save(target, set) {
      const file = fileOf(directory, target);
      fromDisk.delete(formatTarget(target)); // somebody answered, whether that can be kept or not
      try {
        await replaceFile(directory, file, boundedText(target, set, maxBytes));
      } catch (cause) {
        const detail = `instances of "${formatTarget(target)}" could not be kept in "${file}"`;
        throw new FlotillaError('STORE_FAILED', detail, { cause });
      }
    },
  } satisfies FileCache;
}

/** Readable, and unique by the hash: names may hold what file systems do not take, or differ in case only. */
function fileOf(directory: string, target: Target): string {
  const key = formatTarget(target);
  const readable = key.replaceAll(/[^A-Za-z0-9-]/g, '_').slice(0, 60);
  return join(directory, `${readable}-${createHash('sha256').update(key).digest('hex').slice(0, 16)}.live-set`);
}

async function readBounded(file: string, maxBytes: number): Promise<string | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new Error(`it has ${size} bytes, maxBytes is ${maxBytes}`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function boundedText(target: Target, set: CachedSet, maxBytes: number): string {
  const text = formatStoredSet(formatTarget(target), {
    ...set,
    instances: set.instances.map(withoutSecrets),
  });
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) throw new Error(`${bytes} bytes are more than maxBytes, ${maxBytes}`);
  return text;
}

let saves = 0;

/**
 * 1. Writes a new file beside the old one. 2. Waits until it is on the disk. 3. Renames it over the old one. 4. Waits
 * until the name is on the disk as well. A crash at any point leaves either the old file or the new one.
 */
async function replaceFile(directory: string, file: string, text: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.${++saves}.tmp`;
  try {
    await writeSynced(temporary, text);
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
  await syncDirectory(directory);
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
