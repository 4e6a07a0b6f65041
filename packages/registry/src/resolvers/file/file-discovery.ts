import { basename } from 'node:path';
import { FlotillaError, nullLogger, resolveDurations } from '@flotilla/core';
import { openDiscovery, type SourceDiscovery, type SourceNeeds } from '../discovery.ts';
import { sourceLog } from '../log.ts';
import { silentRegistrar } from '../registrar.ts';
import { sharedResolver } from '../shared-resolver.ts';
import { onlyUrl, splitSourceUrl } from '../source-url.ts';
import { nodeFile } from './engines/node-file.ts';
import type { FilePort } from './file-port.ts';
import { FileSource } from './file-source.ts';

/** What {@link fileDiscovery} is told. */
export interface FileDiscoveryOptions extends SourceNeeds {
  /**
   * Reads the text of a file whose name does not end in `.json`. Throws a FlotillaError saying what is wrong. Default: such
   * a file is refused.
   */
  readonly parse?: (text: string, name: string) => unknown;
  /** The file. Default: the one that the url names. */
  readonly file?: FilePort;
  /** A longer file is not taken. Default 4 MiB. */
  readonly maxFileBytes?: number;
  /** A changed file counts when it read the same twice, this far apart. Default 100. */
  readonly settleMs?: number;
  /** How often the file is looked at although nothing said that it changed. Default 5,000. */
  readonly pollEveryMs?: number;
}

export const fileDiscoveryDefaults: Readonly<
  Required<Pick<FileDiscoveryOptions, 'maxFileBytes' | 'settleMs' | 'pollEveryMs'>>
> = Object.freeze({
  maxFileBytes: 4_194_304, // some 50,000 instances
  settleMs: 100, // longer than a write of that takes
  pollEveryMs: 5_000, // network file systems say nothing of changes that others make
});

/**
 * Instances that a file lists: `file:/etc/fleet/services.yaml`, `file:services.json` (from the working directory). Nothing is
 * registered there.
 * @throws FlotillaError CONFIG_INVALID for a url that names no file that can be read here
 */
export function fileDiscovery(options: FileDiscoveryOptions): SourceDiscovery {
  const path = pathOf(onlyUrl(options.urls, 'file'));
  const { clock, random, logger = nullLogger } = options;
  const log = sourceLog(logger, `file:${path}`);
  const { maxFileBytes, ...durations } = fileDiscoveryDefaults;
  const source = new FileSource({
    clock,
    random,
    log,
    file: options.file ?? nodeFile(path),
    parse: parserOf(path, options.parse),
    maxFileBytes: options.maxFileBytes ?? maxFileBytes,
    ...resolveDurations(options, durations),
  });
  const shared = sharedResolver(source, log);
  const registrar = silentRegistrar(log, 'whoever writes the file lists the instances');
  return openDiscovery(shared.resolver, registrar, () => {
    shared.close();
    return source.close();
  });
}

function pathOf(url: string): string {
  const { rest } = splitSourceUrl(url, []);
  try {
    const path = decodeURIComponent(rest.replace(/^\/\/(?=\/)/, ''));
    if (path !== '' && !path.startsWith('//') && !path.includes('\0')) return path;
  } catch {
    // Said below.
  }
  throw new FlotillaError(
    'CONFIG_INVALID',
    `registry: "${url.slice(0, 200)}" names no file; write file:/path/services.yaml, a percent sign in it as %25`,
  );
}

function parserOf(path: string, parse: FileDiscoveryOptions['parse']): (text: string) => unknown {
  if (path.endsWith('.json')) return JSON.parse;
  if (parse) return (text) => parse(text, basename(path));
  throw new FlotillaError('CONFIG_INVALID', `registry: "${path}" is no .json file, and nothing here reads others`);
}
