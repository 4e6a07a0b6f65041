import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NewFile } from '../new-file.ts';

/**
 * Writes files that do not exist yet: all of them, or none because one exists already.
 * @param written is told after each one.
 * @throws Error naming what exists, or what cannot be written and why.
 */
export function writeNewFiles(folder: string, files: readonly NewFile[], written: (path: string) => void): void {
  const existing = files.filter(({ path }) => existsSync(join(folder, path))).map(({ path }) => path);
  if (existing.length > 0) {
    throw new Error(`${existing.join(', ')} exists already in ${folder}; nothing was written`);
  }
  for (const { path, text } of files) {
    const target = join(folder, path);
    try {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text, { flag: 'wx' });
    } catch (cause) {
      throw new Error(`${target} cannot be written: ${reasonOf(cause)}`, { cause });
    }
    written(path);
  }
}

/** What a failure of the file system means, in words. */
export function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return (code === undefined ? undefined : reasons[code]) ?? message;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there; take another folder, or change its permissions',
  EPERM: 'this user may not write there; take another folder, or change its permissions',
  EROFS: 'the file system is read-only; take another folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'it exists already',
  ENAMETOOLONG: 'the name is too long for this file system',
};
