import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSettings } from '../services/database.ts';

/** Runs with a folder of its own, which is removed afterwards. */
export async function withFolder(use: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-shop-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes what runs with a store in a new file, which is closed and removed afterwards. */
export function withNew<Store extends { close(): void }>(open: (settings: DatabaseSettings) => Store) {
  return (use: (store: Store, dbFile: string) => unknown): Promise<void> =>
    withFolder(async (folder) => {
      const dbFile = join(folder, 'store.sqlite');
      const store = open({ dbFile, maxDbBytes: 2 ** 24 });
      try {
        await use(store, dbFile);
      } finally {
        store.close();
      }
    });
}
