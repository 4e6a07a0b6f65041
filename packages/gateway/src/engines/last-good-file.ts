import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FlotillaError } from '@flotilla/core';
import type { LastGoodRoutes } from '../watch-routes.ts';

/**
 * Keeps the last good routes in a file of its own, readable by its owner only.
 * @throws FlotillaError STORE_FAILED from both methods, with the reason as its cause
 */
export function createLastGoodFile(path: string): LastGoodRoutes {
  return {
    load: () => readFile(path, 'utf8').catch((cause: unknown) => absentOr(path, cause)),
    save: (text) =>
      replaceFile(path, text).catch((cause: unknown) => {
        throw failed(`"${path}" could not be written`, cause);
      }),
  } satisfies LastGoodRoutes;
}

/** A crash at any point leaves either the old file or the new one: the new one is on the disk before it is renamed. */
async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function absentOr(path: string, cause: unknown): undefined {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw failed(`"${path}" could not be read`, cause);
}

function failed(what: string, cause: unknown): FlotillaError {
  return new FlotillaError('STORE_FAILED', what, { cause });
}
