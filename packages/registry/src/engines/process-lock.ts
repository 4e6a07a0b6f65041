import { readFileSync } from 'node:fs';
import { FlotillaError } from '@flotilla/core';
import type { Disk } from './disk.ts';

/**
 * Claims `path` for this process by a file beside it that names the process. A claim of a process that has ended (or
 * whose number another one has now) is taken over.
 * @throws FlotillaError STORE_FAILED naming the process that holds it.
 */
export async function claim(path: string, disk: Disk): Promise<void> {
  const lock = lockOf(path);
  for (let attempt = 1; attempt <= 3; attempt++) {
    if (await disk.create(lock, markOf(process.pid) ?? `${process.pid}`)) return;
    const holder = (await disk.read(lock))?.toString('utf8').trim() ?? '';
    if (isRunning(holder)) throw inUse(path, lock, holder);
    await disk.remove(lock);
  }
  throw inUse(path, lock, 'another process that is starting');
}

/** Gives the claim up. */
export async function release(path: string, disk: Disk): Promise<void> {
  await disk.remove(lockOf(path));
}

function lockOf(path: string): string {
  return `${path}.lock`;
}

/** A process that ended and one that got its number differ in when they started (proc(5), field 22 of `stat`). */
function markOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${pid} started ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function isRunning(mark: string): boolean {
  const pid = Number.parseInt(mark, 10);
  if (!(pid > 0)) return false;
  const present = markOf(pid);
  if (present !== undefined) return present === mark;
  return mark.includes('started') ? false : answersSignals(pid);
}

/** Where there is no /proc. */
function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function inUse(path: string, lock: string, holder: string): FlotillaError {
  return new FlotillaError(
    'STORE_FAILED',
    `"${path}" is in use by process ${holder}: stop that registry, give this one another file, or remove "${lock}" if you are sure`,
  );
}
