/** HTML that is safe to send: whatever was put into it was escaped. */
export class Html {
  readonly text: string;

  /** @param text trusted as it is: use {@link html}. */
  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What may stand in a gap of {@link html}. Nothing is written for `undefined` and `false`. */
export type Gap = string | number | Html | undefined | false | readonly Gap[];

/**
 * Writes HTML. Every gap is text and is escaped, for content and for quoted attributes alike, unless it is `Html` itself:
 * what instances say of themselves is from strangers.
 */
export function html(pieces: TemplateStringsArray, ...gaps: readonly Gap[]): Html {
  return new Html(pieces.reduce((text, piece, index) => text + written(gaps[index - 1]) + piece));
}

/**
 * Text for content and quoted attributes. Control characters and those that turn the direction of writing are shown as a
 * replacement character: a name must not look like another one.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
    .replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function written(gap: Gap): string {
  if (gap === undefined || gap === false) return '';
  if (gap instanceof Html) return gap.text;
  if (typeof gap === 'object') return gap.map(written).join('');
  return escapeHtml(String(gap));
}
