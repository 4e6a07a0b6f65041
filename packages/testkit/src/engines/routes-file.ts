import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A route file with its name, for messages. */
export function readRoutesFile(file: string | URL): { readonly name: string; readonly text: string } {
  const name = file instanceof URL ? fileURLToPath(file) : file;
  return { name, text: readFileSync(name, 'utf8') };
}
