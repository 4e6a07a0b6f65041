/** Reads the sources that the checks look at. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './packages.ts';

export interface Source {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** All TypeScript files under `folder`, without built and installed ones. */
export function sourcesUnder(folder: string): Source[] {
  return globSync('**/*.ts', { cwd: join(root, folder), exclude: (name) => /node_modules|dist/.test(String(name)) })
    .map((path) => `${folder}/${path}`)
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The code alone: comments become blanks of the same length, so that positions stay. Text literals stay as they are. */
export function withoutComments(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g;
  return text.replace(token, (match) => (match.startsWith('/') ? match.replace(/[^\n]/g, ' ') : match));
}

/** Texts that are data become blanks; those that name a module stay. */
function withoutTexts(code: string): string {
  const text =
    /((?<![.\w])(?:from\s*|import\s*(?:\(\s*)?))?('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`)/g;
  return code.replace(text, (match, before?: string) => (before === undefined ? match.replace(/[^\n]/g, ' ') : match));
}

/** The modules that a file imports or re-exports, types included. */
export function importsOf(text: string): { readonly specifier: string; readonly line: number }[] {
  const code = withoutTexts(withoutComments(text));
  return [...code.matchAll(/(?<![.\w])(?:from\s*|import\s*(?:\(\s*)?)['"]([^'"\n]+)['"]/g)].map((match) => ({
    specifier: match[1] ?? '',
    line: code.slice(0, match.index).split('\n').length,
  }));
}
