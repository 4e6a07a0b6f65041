import { FlotillaError, toFlotillaError } from '@flotilla/core';
import { pathFromText } from './path.ts';

/**
 * One piece of a {@link PathPattern}.
 *
 * | kind | written | takes |
 * |---|---|---|
 * | `static` | `products` | that segment, as it is |
 * | `param` | `{id}` | one segment that is not empty |
 * | `rest` | `{*path}` | all that follows, at least one segment that is not empty; last only |
 * | `any` | `**` | all that follows, nothing too; last only |
 */
export type PatternPiece =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'param' | 'rest'; readonly name: string }
  | { readonly kind: 'any' };

/** A pattern for paths, read from text once. */
export interface PathPattern {
  readonly text: string;
  readonly pieces: readonly PatternPiece[];
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const mostPieces = 64;

/**
 * Reads a pattern: `/products/{id}`, `/files/{*path}`, `/shop/**`. Static text is compared with decoded segments and
 * may be written with or without escapes; a trailing slash counts.
 * @throws FlotillaError CONFIG_INVALID naming the pattern and what is wrong with it
 */
export function parsePattern(text: string): PathPattern {
  if (!text.startsWith('/')) throw invalid(text, 'it has to begin with "/"');
  const written = text === '/' ? [] : text.slice(1).split('/');
  if (written.length > mostPieces) throw invalid(text, `it has more than ${mostPieces} segments`);
  const pieces = written.map((piece, index) => readPiece(text, piece, index === written.length - 1));
  assertNamesDiffer(text, pieces);
  return { text, pieces };
}

/** What the named pieces took of `segments`, which `pattern` matches. The rest keeps its slashes. */
export function patternParams(pattern: PathPattern, segments: readonly string[]): ReadonlyMap<string, string> {
  let params: Map<string, string> | undefined;
  for (let index = 0; index < pattern.pieces.length; index++) {
    const piece = pattern.pieces[index] as PatternPiece;
    if (piece.kind === 'static' || piece.kind === 'any') continue;
    params ??= new Map();
    params.set(piece.name, piece.kind === 'rest' ? segments.slice(index).join('/') : (segments[index] ?? ''));
  }
  return params ?? noParams;
}

const noParams: ReadonlyMap<string, string> = new Map();

function readPiece(text: string, piece: string, last: boolean): PatternPiece {
  if (piece === '**') {
    if (!last) throw invalid(text, '"**" can only be its last segment');
    return { kind: 'any' };
  }
  if (piece === '' && !last) throw invalid(text, 'it has an empty segment, and no path has one before its end');
  if (!/[{}*]/.test(piece)) return { kind: 'static', text: readStatic(text, piece) };
  const [, star, name] = /^\{(\*?)([^{}*]*)\}$/.exec(piece) ?? [];
  if (name === undefined) {
    throw invalid(text, `"${piece}" is not a segment: write text, "{name}", or at the end "{*name}" or "**"`);
  }
  if (!namePattern.test(name)) throw invalid(text, `"${name}" is not a name: letters, digits and "_", at most 64`);
  if (star && !last) throw invalid(text, `"${piece}" can only be its last segment`);
  return { kind: star ? 'rest' : 'param', name };
}

function readStatic(text: string, piece: string): string {
  if (piece === '') return '';
  let reason = 'a dot segment is never left in one';
  try {
    const { segments } = pathFromText(`/${piece}`);
    if (segments.length === 1 && segments[0]) return segments[0];
  } catch (error) {
    reason = toFlotillaError(error).detail;
  }
  throw invalid(text, `"${piece}" is not a segment of a path: ${reason}`);
}

function assertNamesDiffer(text: string, pieces: readonly PatternPiece[]): void {
  const names = new Set<string>();
  for (const piece of pieces) {
    if (piece.kind === 'static' || piece.kind === 'any') continue;
    if (names.has(piece.name)) throw invalid(text, `it has the name "${piece.name}" twice`);
    names.add(piece.name);
  }
}

function invalid(text: string, what: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `the path pattern "${text.slice(0, 200)}" cannot be used: ${what}`);
}
