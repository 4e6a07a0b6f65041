import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseYaml } from '@flotilla/config';
import { FlotillaError } from '@flotilla/core';
import { type App, appParts } from '../../app.ts';
import type { ServiceConfig } from '../../platform-settings.ts';
import { configSchemaOf } from '../../start/start-service.ts';
import type { GivenSources } from '../placed-sources.ts';

/** Where a service that is to be placed comes from, and what it takes over from the process that it is placed in. */
export interface ServiceSource {
  readonly name: string;
  /** `file:` URL of the module that exports its application. */
  readonly module: string;
  /** Configuration files; its own part stands under `services.<name>`. */
  readonly files: readonly string[];
  /** Flags and variables that are meant for it, see `sourcesByService`. */
  readonly args: GivenSources['args'];
  readonly env: GivenSources['env'];
  /** Services that it finds in the process, because they are placed there too. */
  readonly inProcess: readonly string[];
  /** Of the process: it looks others up in the same place. */
  readonly shared: Pick<ServiceConfig<unknown>, 'registry' | 'zone' | 'stateDir' | 'drainMs'>;
}

/**
 * The module of a service, as `services.<name>.run` of the first file that has it says: the program that runs it as a process
 * of its own.
 * @throws FlotillaError CONFIG_INVALID naming the key
 */
export function moduleOf(name: string, files: readonly string[]): string {
  for (const file of files.filter((path) => existsSync(path))) {
    const { value } = parseYaml(readFileSync(file, 'utf8'), file);
    const { services } = (value ?? {}) as { readonly services?: Readonly<Record<string, { readonly run?: unknown }>> };
    const run = services?.[name]?.run;
    if (typeof run === 'string') return pathToFileURL(resolve(dirname(file), run)).href;
  }
  throw new FlotillaError(
    'CONFIG_INVALID',
    `placement names "${name}", but services.${name}.run, the module of it, is not in ${files.join(', ') || 'any file'}`,
  );
}

/** An application that is to be placed. */
export interface PlacedApp {
  readonly app: App<unknown>;
  readonly schema: ReturnType<typeof configSchemaOf<unknown>>;
}

/**
 * The application that a module exports. The module only declares it: what runs it as a program stands behind
 * `import.meta.main`.
 * @throws FlotillaError START_FAILED
 */
export async function loadPlaced({ name, module }: Pick<ServiceSource, 'name' | 'module'>): Promise<PlacedApp> {
  const app = await importApp(name, module);
  return { app, schema: configSchemaOf(app) };
}

async function importApp(name: string, module: string): Promise<App<unknown>> {
  const exported = (await import(module)) as Readonly<Record<string, unknown>>;
  const apps = Object.values(exported).filter(isApp);
  const app = apps.find((one) => one.name === name);
  if (app) return app;
  const found =
    apps.length === 0 ? 'it exports no service' : `it exports ${apps.map((one) => `"${one.name}"`).join(', ')}`;
  throw new FlotillaError(
    'START_FAILED',
    `"${name}" cannot be placed: ${module} does not export it (export const app = service('${name}')); ${found}`,
  );
}

function isApp(value: unknown): value is App<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    appParts(value as App<unknown>);
    return true;
  } catch {
    return false;
  }
}
