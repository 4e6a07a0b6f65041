import { dirname, join } from 'node:path';

/** Reads a file; undefined when it is not there. */
export type ReadText = (path: string) => string | undefined;

/** `import … from './x.ts'`, `export … from './x.ts'`, `import './x.ts'`, `import('./x.ts')`. */
const relativeImport = /\b(?:from|import)\s*(?:\(\s*)?['"](\.{1,2}\/[^'"\n]+)['"]/g;

/**
 * The file itself and all that it imports by relative paths, directly and through others: what a process has to be
 * restarted for. Packages are left out: they do not change under a running fleet.
 */
export function filesBehind(entry: string, read: ReadText): ReadonlySet<string> {
  const files = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    const text = read(path);
    if (text === undefined) return;
    files.add(path);
    for (const [, specifier = ''] of text.matchAll(relativeImport)) visit(join(dirname(path), specifier));
  };
  visit(entry);
  return files;
}
