import { parseArgs } from 'node:util';
import type { Start } from './templates.ts';

/** What the command line says. */
export interface Given {
  readonly folder: string | undefined;
  readonly start: Start | undefined;
  /** Ask nothing: take the defaults. */
  readonly yes: boolean;
  /** Folder of tarballs to take Flotilla's packages from. */
  readonly packages: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

export const usage = `npm create flotilla [folder] [-- options]

Writes a fleet of services that starts with "npm install && npm start".

  folder             where to; its name is the fleet's name (default: my-fleet; "." is the current folder)
  --start <what>     edge: a backend and an edge service (default); backend: a backend service alone
  --yes, -y          ask nothing
  --packages <dir>   take Flotilla's packages from the tarballs in a folder, made by "npm pack", not from the registry
  --version, --help`;

/** @throws Error for an option that is unknown, or a value that does not fit. */
export function parseOptions(args: readonly string[]): Given {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      start: { type: 'string' },
      yes: { type: 'boolean', short: 'y', default: false },
      packages: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', default: false },
    },
  });
  const { start, yes, packages, help, version } = values;
  if (positionals.length > 1) {
    throw new Error(`one folder is enough, got ${positionals.map((folder) => `"${folder}"`).join(', ')}`);
  }
  if (start !== undefined && !isStart(start)) throw new Error(`--start is edge or backend, got "${start}"`);
  return { folder: positionals[0], start, yes, packages, help, version };
}

export function isStart(text: string): text is Start {
  return text === 'edge' || text === 'backend';
}
