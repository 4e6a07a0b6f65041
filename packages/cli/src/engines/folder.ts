import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the folder that a file is going to lie in, readable by its owner only. */
export async function ensureFolderOf(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
}
