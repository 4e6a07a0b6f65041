import { readFileSync } from 'node:fs';

/** The package's version, from beside the sources or the built files. */
export function ownVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
