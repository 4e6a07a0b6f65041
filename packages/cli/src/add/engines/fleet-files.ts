import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlotillaError } from '@flotilla/core';
import { type NewFile, writeNewFiles } from 'create-flotilla/templates';
import type { AdditionPlan } from '../plan-addition.ts';

/** Reads a file of the fleet. */
export function readIn(folder: string): (path: string) => string | undefined {
  return (path) => {
    const file = join(folder, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
}

/**
 * Writes what was planned: new files first, so that what is named in the others is there.
 * @throws FlotillaError INVALID_INPUT naming the file and why it cannot be written.
 */
export function writeAddition(folder: string, { created, changed }: AdditionPlan): void {
  try {
    writeNewFiles(folder, created, () => {});
    for (const file of changed) replace(folder, file);
  } catch (cause) {
    throw new FlotillaError('INVALID_INPUT', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** All or nothing: whoever watches the file never reads half of it. */
function replace(folder: string, { path, text }: NewFile): void {
  const target = join(folder, path);
  const beside = `${target}.${process.pid}.tmp`;
  writeFileSync(beside, text);
  renameSync(beside, target);
}
