import { existsSync } from 'node:fs';
import { type ConfigFile, type Loaded, loadConfig, readConfigFiles, readSecretFiles } from '@flotilla/config';
import type { ProcessConfig } from '../../platform-settings.ts';
import type { ProcessSpec } from './process-spec.ts';

/** Where a process takes its configuration from. */
export interface ProcessSources {
  /** Default: the arguments of this process. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What its variables begin with. Default `FLOTILLA`. */
  readonly envPrefix?: string;
  /** Default: `flotilla.yaml` in the working directory, if it is there. */
  readonly files?: readonly string[];
}

/** Variables with our prefix that are not configuration: the supervisor of `flotilla dev` sets them. */
const reserved: readonly string[] = ['FLOTILLA_SUPERVISED', 'FLOTILLA_TEST_DATA'];

const usualFile = 'flotilla.yaml';

/**
 * The configuration of a process from its file section, environment and flags. A file that was asked for has to be there;
 * `flotilla.yaml` need not.
 * @param below what the files win over, if anything.
 */
export async function loadProcessConfig<C>(
  spec: Pick<ProcessSpec<ProcessConfig & C>, 'schema' | 'section'>,
  sources: ProcessSources = {},
  below: readonly ConfigFile[] = [],
): Promise<Loaded<C>> {
  const { args = process.argv.slice(2), env = process.env, files = usualFiles(), envPrefix } = sources;
  const read: ConfigFile[] = await readConfigFiles(files);
  return loadConfig(spec.schema, {
    files: [...below, ...read.map((file) => ({ ...file, at: spec.section }))],
    env,
    flags: args,
    reserved,
    secretFiles: await readSecretFiles(env, envPrefix),
    ...(envPrefix !== undefined && { envPrefix }),
  });
}

/** Where configuration is looked for, when nobody says. */
export function usualFiles(): readonly string[] {
  return [usualFile].filter(existsSync);
}

/** Every file whose change may be a change of the configuration, whether it is there or not. */
export function followedFiles(sources: ProcessSources): string[] {
  return [...(sources.files ?? [usualFile]), ...secretFilePaths(sources)];
}

/** Files that `FLOTILLA_…_FILE` names. */
function secretFilePaths({ env = process.env }: ProcessSources): string[] {
  const named = Object.entries(env).filter(([name]) => /^FLOTILLA_\w+_FILE$/.test(name));
  return named.flatMap(([, path]) => path ?? []);
}
