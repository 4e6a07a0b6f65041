import { readdirSync } from 'node:fs';
import { reasonOf } from './write-files.ts';

/** A repository that was just begun counts as empty. */
const welcome: ReadonlySet<string> = new Set(['.git', '.DS_Store']);

/** @throws Error when something is in the folder, or it cannot be looked at. A folder that is not there is empty. */
export function assertEmpty(folder: string): void {
  let found: string[];
  try {
    found = readdirSync(folder).filter((name) => !welcome.has(name));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new Error(`${folder} cannot be used: ${reasonOf(cause)}`, { cause });
  }
  if (found.length === 0) return;
  const some = found.slice(0, 3).join(', ') + (found.length > 3 ? ', …' : '');
  throw new Error(`${folder} is not empty: it has ${some}; take another folder, nothing was written`);
}

/** @throws Error when it cannot be looked at. */
export function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new Error(`${folder} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
