/** A path whose segments are text or one parameter: `/products/{id}`. */
export interface PathTemplate {
  readonly segments: readonly TemplateSegment[];
}

export type TemplateSegment = { readonly text: string } | { readonly parameter: string };

// What a canonical path has unescaped (RFC 3986 §3.3); a percent sign would need a second reading.
const literalPattern = /^[A-Za-z0-9._~!$&'()+,;=:@-]+$/;
const parameterPattern = /^\{([A-Za-z_][A-Za-z0-9_]{0,63})\}$/;

/** @returns the template, or a sentence that says what is wrong with it. */
export function parseTemplate(path: string): PathTemplate | string {
  if (!path.startsWith('/')) return `path "${path}" must start with "/"`;
  const segments: TemplateSegment[] = [];
  const names = new Set<string>();
  for (const part of path === '/' ? [] : path.slice(1).split('/')) {
    const parameter = parameterPattern.exec(part)?.[1];
    if (parameter !== undefined) {
      if (names.has(parameter)) return `path "${path}" names {${parameter}} twice`;
      names.add(parameter);
      segments.push({ parameter });
    } else if (literalPattern.test(part) && part !== '.' && part !== '..') {
      segments.push({ text: part });
    } else {
      return `path "${path}" has the segment "${part}": it must be text without escapes, or one {parameter}`;
    }
  }
  return { segments };
}

/** Names of the parameters, in order. */
export function parametersOf(template: PathTemplate): string[] {
  return template.segments.flatMap((segment) => ('parameter' in segment ? [segment.parameter] : []));
}

/** `GET /products/{}`: equal for two templates that take the same paths, whatever their parameters are called. */
export function addressShape(method: string, path: string): string {
  const segments = path.split('/').map((segment) => (segment.startsWith('{') ? '{}' : segment));
  return `${method} ${segments.join('/')}`;
}

/**
 * The path with its parameters filled in, percent-encoded.
 * @param textOf the text of a parameter; undefined when it has none that fits into a path.
 * @returns undefined when a parameter is missing, or would change the path's shape: empty, `.`, `..`, with `/`, `\` or a control character.
 */
export function fillTemplate(
  template: PathTemplate,
  textOf: (parameter: string) => string | undefined,
): string | undefined {
  let path = '';
  for (const segment of template.segments) {
    const text = 'text' in segment ? segment.text : encodeSegment(textOf(segment.parameter));
    if (text === undefined) return undefined;
    path += `/${text}`;
  }
  return path === '' ? '/' : path;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
const unsafePattern = /[/\\\u0000-\u001f\u007f]|^\.{0,2}(?:;|$)/;

function encodeSegment(text: string | undefined): string | undefined {
  // Lone surrogates have no UTF-8 form: encodeURIComponent would throw.
  if (text === undefined || unsafePattern.test(text) || !text.isWellFormed()) return undefined;
  return encodeURIComponent(text);
}
