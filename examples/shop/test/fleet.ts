import { join } from 'node:path';
import type { App } from 'flotilla';
import { type MemoryFleet, type MemoryFleetOptions, startInMemory } from 'flotilla/testing';
import { withFolder } from './folder.ts';

/** Where the tests' shop is found: over TLS, as in production. */
export const publicUrl = 'https://shop.example';

/** What a test has. */
export interface Shop extends MemoryFleet {
  readonly folder: string;
  /** The database of a service. */
  file(service: string): string;
}

/** Services of the shop in one process: real databases, a real registry, no socket. */
export async function withShop(
  // biome-ignore lint/suspicious/noExplicitAny: settings stand in an argument, so no other type takes all applications
  apps: readonly App<any>[],
  use: (shop: Shop) => unknown,
  options: Pick<MemoryFleetOptions, 'clock' | 'random'> & { readonly settings?: MemoryFleetOptions['settings'] } = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const file = (service: string): string => join(folder, `${service}.sqlite`);
    const kept = ['catalog', 'order', 'review', 'user'].map((name) => [name, { dbFile: file(name) }] as const);
    const edges = ['web', 'mobile'].map((name) => [name, { publicUrl }] as const);
    const settings = Object.fromEntries(
      [...kept, ...edges].map(([name, values]) => [name, { ...values, ...(options.settings?.[name] as object) }]),
    );
    const fleet = await startInMemory(apps, { ...options, settings });
    try {
      await use({ ...fleet, folder, file });
    } finally {
      await fleet.stop();
    }
  });
}
