import { createHash } from 'node:crypto';
import { STATUS_TEXT } from './status-text.ts';

/** What every page of an error says. */
export interface PageFacts {
  readonly status: number;
  /** A plain sentence for whoever sees it. */
  readonly sentence: string;
  /** To quote when asking for help. */
  readonly traceId: string | undefined;
  readonly retryAfterMs: number | undefined;
}

const style = `:root{color-scheme:light dark}
body{margin:0;font:1rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
main{max-width:60rem;margin:12vh auto;padding:0 1.5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem}
h1 span{display:block;font-size:1rem;font-weight:400;opacity:.75}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.5rem 0}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid color-mix(in srgb,CanvasText 20%,Canvas);overflow-wrap:break-word}
.wide main{margin-top:5vh}`;

const styleHash = createHash('sha256').update(style).digest('base64');

/** Nothing is loaded, nothing runs, nobody frames it; the one style is the one above. */
export const pageFields: readonly (readonly [name: string, value: string])[] = Object.freeze([
  ['content-type', 'text/html; charset=utf-8'],
  ['cache-control', 'no-store'],
  [
    'content-security-policy',
    `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  ],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
] as const);

/** @param details HTML for a developer; empty for everybody else */
export function renderPage({ status, sentence, traceId, retryAfterMs }: PageFacts, details = ''): string {
  const title = STATUS_TEXT[status] ?? 'Error';
  const retry =
    retryAfterMs === undefined ? '' : `<p>Please try again in about ${inWords(Math.ceil(retryAfterMs / 1_000))}.</p>\n`;
  const quote =
    traceId === undefined
      ? ''
      : `<p>If you ask for help, please quote this number: <code>${escapeHtml(traceId)}</code></p>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${status} ${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body${details === '' ? '' : ' class="wide"'}>
<main>
<h1><span>${status} ${escapeHtml(title)}</span>${escapeHtml(sentence)}</h1>
${retry}${quote}${details}</main>
</body>
</html>
`;
}

/** A text as it may stand between tags and in quoted attributes; control characters become visible. */
export function escapeHtml(text: string): string {
  return text
    .replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function inWords(seconds: number): string {
  if (seconds <= 1) return 'a second';
  return seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}
