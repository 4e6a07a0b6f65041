import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { FlotillaError } from '@flotilla/core';
import { concreteTypes, type FileToSend } from '@flotilla/rpc/contract';

/**
 * The file that a text such as `@cat.png` names.
 * @throws FlotillaError INVALID_INPUT for a text that names none, or a file that cannot be read
 */
export async function fileAt(given: unknown, types: readonly string[]): Promise<FileToSend> {
  const path = typeof given === 'string' && given.startsWith('@') ? given.slice(1) : undefined;
  if (path === undefined) throw new FlotillaError('INVALID_INPUT', `"${given}" is no file; files are written @path`);
  try {
    const content = await openAsBlob(path, { type: concreteTypes(types)[0] ?? 'application/octet-stream' });
    return { content, name: basename(path) };
  } catch (cause) {
    throw new FlotillaError('INVALID_INPUT', `the file "${path}" cannot be read`, { cause });
  }
}
