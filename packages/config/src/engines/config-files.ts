import { type FileHandle, open } from 'node:fs/promises';
import type { SecretFile } from '../layers/env.ts';
import type { ConfigFile } from '../load.ts';
import { Mistakes } from '../mistakes.ts';
import { yamlLimits } from '../yaml-limits.ts';

/**
 * Reads configuration files, in order.
 * @throws FlotillaError CONFIG_INVALID naming every file that is missing, unreadable, over the limit or not UTF-8.
 */
export async function readConfigFiles(paths: readonly string[]): Promise<ConfigFile[]> {
  const mistakes = new Mistakes();
  const files = await Promise.all(
    paths.map(async (path) => {
      const read = await readBounded(path);
      if ('problem' in read) mistakes.add(path, '', read.problem);
      return { name: path, text: 'text' in read ? read.text : '' };
    }),
  );
  mistakes.throwIfAny();
  return files;
}

/**
 * Reads the file that each variable `<prefix>…_FILE` names, for `loadConfig`. A file that anybody on the machine may
 * read is refused: what everybody knows is no secret. Never throws: `loadConfig` reports, if a key wants the file.
 */
export async function readSecretFiles(
  env: Readonly<Record<string, string | undefined>>,
  envPrefix = 'FLOTILLA',
): Promise<ReadonlyMap<string, SecretFile>> {
  const files = new Map<string, SecretFile>();
  for (const [name, path] of Object.entries(env)) {
    if (!path || !name.startsWith(`${envPrefix}_`) || !name.endsWith('_FILE')) continue;
    files.set(name, await readBounded(path, refuseOpenFile));
  }
  return files;
}

/** @param check looks at the open file and may refuse it. */
async function readBounded(
  path: string,
  check?: (file: FileHandle) => Promise<string | undefined>,
): Promise<SecretFile> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const refused = await check?.(file);
    if (refused !== undefined) return { problem: refused };
    const { maxBytes } = yamlLimits;
    const buffer = Buffer.allocUnsafe(maxBytes + 1);
    let length = 0;
    for (let read = 1; read > 0 && length <= maxBytes; length += read) {
      ({ bytesRead: read } = await file.read(buffer, length, buffer.length - length, null));
    }
    if (length > maxBytes) return { problem: `the file is over the limit of ${maxBytes} bytes` };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length)) };
  } catch (thrown) {
    return { problem: problemOf(thrown) };
  } finally {
    await file?.close();
  }
}

async function refuseOpenFile(file: FileHandle): Promise<string | undefined> {
  const { mode } = await file.stat();
  if (process.platform === 'win32' || (mode & 0o007) === 0) return undefined;
  return `everybody on this machine may use it (mode ${(mode & 0o777).toString(8)}); run chmod o-rwx on it`;
}

function problemOf(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this process may not read it';
  if (code === 'EISDIR') return 'it is a directory';
  return code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8 text' : message;
}
