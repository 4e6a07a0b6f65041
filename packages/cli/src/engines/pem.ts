import { readFile } from 'node:fs/promises';
import { FlotillaError } from '@flotilla/core';

/** @returns undefined for an empty path. @throws FlotillaError CONFIG_INVALID naming the setting */
export async function readPem(setting: string, path: string): Promise<Buffer | undefined> {
  if (path === '') return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FlotillaError('CONFIG_INVALID', `${setting} names "${path}", which cannot be read: ${why}`, { cause });
  }
}
