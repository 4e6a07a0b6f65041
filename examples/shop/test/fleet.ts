import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '@flotilla/config';
import { type AnyApp, type Fleet, type FleetOptions, startFleet } from '@flotilla/testkit';
import type { PlatformConfig } from 'flotilla';
import { withFolder } from './folder.ts';

/** The shop as it runs: what its services are told counts in its tests, too. */
const { services: written } = parseYaml(
  readFileSync(new URL('../flotilla.yaml', import.meta.url), 'utf8'),
  'flotilla.yaml',
).value as { readonly services: Readonly<Record<string, Partial<PlatformConfig>>> };

/** What a test has. */
export interface Shop {
  readonly fleet: Fleet;
  readonly folder: string;
  /** The database of a service. */
  file(service: string): string;
}

/** What differs from test to test. */
export interface ShopOptions extends Pick<FleetOptions, 'clock' | 'gateway' | 'time'> {
  /** By service, over those of every test. */
  readonly settings?: Readonly<Record<string, object>>;
}

/** Services of the shop in one process: real databases, a real registry, no socket. */
export async function withShop(
  apps: readonly AnyApp[],
  use: (shop: Shop) => unknown,
  { settings = {}, ...options }: ShopOptions = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const file = (service: string): string => join(folder, `${service}.sqlite`);
    const own = (name: string): object => {
      if (['catalog', 'order', 'review', 'user'].includes(name)) return { dbFile: file(name) };
      return ['web', 'mobile'].includes(name) ? { publicUrl: 'http://127.0.0.1:8080' } : {};
    };
    const services = apps.map((app) => {
      const { run: _, instances: __, ...config } = written[app.name] ?? {};
      return { app, settings: { ...own(app.name), ...settings[app.name] }, config };
    });
    await using fleet = await startFleet({ ...options, services });
    await use({ fleet, folder, file });
  });
}
