import { type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FlotillaError } from '@flotilla/core';
import type { FilePort } from '../file-port.ts';

/** A file on this machine. Its folder is watched: editors, configuration maps and `mv` put a new file in its place. */
export function nodeFile(path: string): FilePort {
  return {
    async read(maxBytes: number): Promise<Uint8Array> {
      try {
        return await readBounded(path, maxBytes);
      } catch (cause) {
        if (cause instanceof FlotillaError) throw cause;
        throw new FlotillaError('STORE_FAILED', `"${path}" cannot be read: ${(cause as Error).message}`, { cause });
      }
    },
    watch(changed: () => void): () => void {
      let watcher: FSWatcher | undefined;
      try {
        watcher = watch(dirname(path), { persistent: false }, changed);
        watcher.on('error', () => watcher?.close()); // the folder is gone: whoever asks now and then finds the next one
      } catch {
        return () => {}; // no such folder yet, or no more watches to be had
      }
      return () => watcher?.close();
    },
  } satisfies FilePort;
}

/** As much as the file had when it was opened: one that grows meanwhile reads otherwise the next time. */
async function readBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw tooLong(path, maxBytes);
    const bytes = new Uint8Array(size);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, size - length);
      length += bytesRead;
      if (bytesRead === 0 || length === size) return bytes.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}

function tooLong(path: string, maxBytes: number): FlotillaError {
  return new FlotillaError('STORE_FAILED', `"${path}" is longer than the limit of ${maxBytes} bytes`);
}
