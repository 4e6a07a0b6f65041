/** Finds our own regular expressions and asks a checker whether some text makes them slow. */
import { checkSync } from 'recheck';

export interface ExpressionReport {
  readonly checked: number;
  readonly mistakes: readonly { readonly line: number; readonly source: string; readonly reason: string }[];
}

/** Where a literal can begin: after an operator, a bracket or a keyword, not after a value (that is a division). */
const literal =
  /(?<=(?:^|[=(,:[!&|?{};\n]|\breturn|=>)\s*)\/(?![/*\s])((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g;

/** @param code without comments. */
export function superLinear(code: string): ExpressionReport {
  const mistakes = [];
  let checked = 0;
  for (const match of code.matchAll(literal)) {
    const [, source = '', flags = ''] = match;
    checked++;
    const result = checkSync(source, flags, { timeout: 5_000 });
    if (result.status === 'vulnerable') {
      const { type, summary } = result.complexity;
      mistakes.push({ line: lineAt(code, match.index), source, reason: `can be slow (${type}: ${summary})` });
    } else if (result.status === 'unknown' && result.error.kind !== 'unsupported') {
      mistakes.push({ line: lineAt(code, match.index), source, reason: `could not be judged (${result.error.kind})` });
    }
  }
  return { checked, mistakes };
}

/** The line of a position, from 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
