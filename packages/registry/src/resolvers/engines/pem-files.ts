import { readFileSync } from 'node:fs';
import { FlotillaError } from '@flotilla/core';

/** Certificates for a TLS connection, as PEM. */
export interface PemFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The parameters that {@link pemFiles} reads. */
export const pemParams = ['ca-file', 'cert-file', 'key-file'] as const;

/**
 * Reads the files that `ca-file`, `cert-file` and `key-file` name, once, at the start.
 * @returns undefined when none is named.
 * @throws FlotillaError CONFIG_INVALID for one that cannot be read, or a certificate without its key.
 */
export function pemFiles(params: ReadonlyMap<string, string>): PemFiles | undefined {
  const read = (name: string): string | undefined => {
    const path = params.get(name);
    return path === undefined ? undefined : readText(path);
  };
  const [ca, cert, key] = [read('ca-file'), read('cert-file'), read('key-file')];
  if ((cert === undefined) !== (key === undefined)) {
    throw new FlotillaError('CONFIG_INVALID', 'registry: "cert-file" and "key-file" are given both or not at all');
  }
  if (ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? undefined : { ca }),
    ...(cert === undefined ? undefined : { cert }),
    ...(key === undefined ? undefined : { key }),
  };
}

/** @throws FlotillaError CONFIG_INVALID */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new FlotillaError('CONFIG_INVALID', `registry: "${path}" cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
