import { CST, Lexer } from 'yaml';

/** What one YAML text may hold. Whatever is over a limit is refused as a whole. */
export const yamlLimits: Readonly<{
  maxBytes: number;
  maxDepth: number;
  maxNodes: number;
  maxAliases: number;
  maxTokens: number;
}> = Object.freeze({
  maxBytes: 1_048_576,
  maxDepth: 64,
  /** Aliases count with everything that they stand for. */
  maxNodes: 100_000,
  maxAliases: 100,
  /** A list of `maxNodes` short lines has four tokens a line; this leaves room for keys and comments. */
  maxTokens: 500_000,
});

/** Something in a YAML text that is not allowed. */
export interface YamlProblem {
  /** Offset into the text, in UTF-16 units. */
  readonly offset: number;
  readonly problem: string;
}

/**
 * Checks size, number of tokens and depth of brackets before anything is built. The lexer is linear; the parser behind
 * it is not for a million open brackets (9 s), so it never sees them.
 */
export function overLimit(text: string): YamlProblem | undefined {
  const bytes = text.length > yamlLimits.maxBytes ? text.length : Buffer.byteLength(text);
  if (bytes > yamlLimits.maxBytes) {
    return { offset: 0, problem: `the text is over the limit of ${yamlLimits.maxBytes} bytes` };
  }
  let offset = 0;
  let depth = 0;
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    if (type === 'flow-seq-start' || type === 'flow-map-start') depth += 1;
    if (type === 'flow-seq-end' || type === 'flow-map-end') depth = Math.max(0, depth - 1);
    if (depth > yamlLimits.maxDepth) return { offset, problem: tooDeep };
    if (type !== 'space') tokens += 1;
    if (tokens > yamlLimits.maxTokens) {
      return { offset, problem: `the text has more than ${yamlLimits.maxTokens} words, signs and lines` };
    }
    if (!lexerMarks.has(token)) offset += token.length;
  }
  return undefined;
}

/** The problem of whatever is nested deeper than {@link yamlLimits}. */
export const tooDeep: string = `nested deeper than ${yamlLimits.maxDepth} levels`;

/** Tokens by which the lexer speaks to the parser; they stand for no characters of the text. */
const lexerMarks: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);
