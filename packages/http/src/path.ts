/** The canonical path of a request (`threats.md` §2.2); made by `parsePath`, never by hand. */
export interface RequestPath {
  /** Canonical, percent-encoded: starts with `/`. */
  readonly text: string;
  /** Decoded segments: `/a/b%20c` → `['a', 'b c']`; `/` → `[]`; a trailing slash gives a last empty segment. */
  readonly segments: readonly string[];
}
