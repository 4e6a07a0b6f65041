import { problemMediaType } from '@flotilla/core';
import { acceptsMediaType } from '@flotilla/http';

const html = 'text/html';
// Who asks for plain JSON means this document, too.
const offered = [problemMediaType, 'application/json', html];

/**
 * Does whoever asks want a page? Only who names HTML, or all of `text`, with a quality above that of JSON: browsers do;
 * `*` beside `*`, and no wish at all, mean a program.
 */
export function wantsPage(accept: string | undefined): boolean {
  return accept !== undefined && acceptsMediaType(accept, offered) === html;
}
