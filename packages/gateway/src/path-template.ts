/** One segment of a template: fixed text, one parameter, or all remaining segments. */
type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'one'; readonly name: string }
  | { readonly kind: 'rest'; readonly name: string };

/** A path with gaps: `/api/{id}/{*rest}`. Gaps are whole segments, so that no value can change the path's shape. */
export interface PathTemplate {
  readonly parts: readonly Part[];
  /** Names of the gaps. */
  readonly names: readonly string[];
}

const gapPattern = /^\{(\*?)([A-Za-z_][A-Za-z0-9_]{0,63})\}$/;
const textPattern = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})*$/;

/** Reads a template. @returns what is wrong, as text, when it is none. */
export function parseTemplate(text: string): PathTemplate | string {
  if (!text.startsWith('/')) return 'must start with "/"';
  const parts: Part[] = [];
  for (const segment of text.slice(1).split('/')) {
    const part = parsePart(segment);
    if (typeof part === 'string') return part;
    if (parts.at(-1)?.kind === 'rest') return 'has something behind {*…}, which takes all that is left';
    parts.push(part);
  }
  return { parts, names: parts.flatMap((part) => (part.kind === 'text' ? [] : [part.name])) };
}

/**
 * Fills the gaps with the parts of a path that `pattern` matched. They are taken as they stand in the canonical text,
 * escapes included, so that whatever a client sent stays inside its own segment.
 * @param path canonical text of the path that matched.
 */
export function expandTemplate({ parts }: PathTemplate, pattern: string, path: string): string {
  const gaps = gapsOf(pattern, path);
  let text = '';
  for (const part of parts) {
    const value = part.kind === 'text' ? part.text : gaps.get(part.name);
    if (value !== undefined) text += `/${value}`;
  }
  return text === '' ? '/' : text;
}

/** Names of the gaps of a route's path pattern. */
export function patternNames(pattern: string): readonly string[] {
  return pattern.split('/').flatMap((segment) => gapPattern.exec(segment)?.[2] ?? []);
}

/** A `{*rest}` that found no segment left is absent: then the template gets no slash for it either. */
function gapsOf(pattern: string, path: string): ReadonlyMap<string, string> {
  const gaps = new Map<string, string>();
  const segments = path.slice(1).split('/');
  for (const [index, segment] of pattern.slice(1).split('/').entries()) {
    const [, star, name] = gapPattern.exec(segment) ?? [];
    if (name === undefined || index >= segments.length) continue;
    gaps.set(name, star === '*' ? segments.slice(index).join('/') : (segments[index] ?? ''));
  }
  return gaps;
}

function parsePart(segment: string): Part | string {
  const gap = gapPattern.exec(segment);
  if (gap) return { kind: gap[1] === '*' ? 'rest' : 'one', name: gap[2] ?? '' };
  if (textPattern.test(segment)) return { kind: 'text', text: segment };
  if (/[{}]/.test(segment))
    return `has the segment "${segment.slice(0, 80)}": a gap is a whole segment, {name} or {*name}`;
  return `has the segment "${segment.slice(0, 80)}", which needs percent-encoding`;
}
