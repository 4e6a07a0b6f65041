import { basename, resolve } from 'node:path';
import { assertEmpty, listFolder } from './engines/folder.ts';
import { ownVersion, readTemplate } from './engines/template-files.ts';
import { writeNewFiles } from './engines/write-files.ts';
import { fleetNameProblem } from './names.ts';
import { packageJson, type Specifiers, specifiersOf } from './package-json.ts';
import { fleetFiles, type Start } from './templates.ts';

/** What is to be created. */
export interface CreateOptions {
  /** From the working directory. */
  readonly folder: string;
  readonly start: Start;
  /** Folder of tarballs. Default: the registry. */
  readonly packages?: string | undefined;
}

/**
 * Writes a fleet.
 * 1. The name, the folder and the tarballs are checked; nothing is written when one does not fit.
 * 2. The files are written, `package.json` last: a folder with one is whole.
 * @param written is told after each file.
 * @returns the absolute folder.
 * @throws Error saying what does not fit and what to do.
 */
export function create({ folder, start, packages }: CreateOptions, written: (path: string) => void): string {
  const target = resolve(folder);
  const name = basename(target);
  const problem = fleetNameProblem(name);
  if (problem !== undefined) throw new Error(`the fleet is called like its folder, and ${problem}`);
  const specifiers = packages === undefined ? registry : tarballsIn(resolve(packages));
  assertEmpty(target);
  const manifest = packageJson(readTemplate('fleet/package.json'), name, specifiers);
  writeNewFiles(target, [...fleetFiles(name, start), { path: 'package.json', text: manifest }], written);
  return target;
}

const registry: Specifiers = new Map();

function tarballsIn(folder: string): Specifiers {
  return specifiersOf(listFolder(folder), folder, ownVersion());
}
