import { readFileSync } from 'node:fs';

/** A file of `templates/`, beside the sources or the built files. */
export function readTemplate(path: string): string {
  return readFileSync(new URL(`../../templates/${path}`, import.meta.url), 'utf8');
}

/** This package's own version: all packages of Flotilla share it. */
export function ownVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
