import { createHash } from 'node:crypto';
import { type HttpHandler, HttpHeaders } from '@flotilla/http';

/** A file that is served from memory. */
export interface KeptFileOptions {
  /** Reads or makes it: once, when it is first asked for. What it throws is the answer, and it is tried again. */
  readonly load: () => string | Uint8Array;
  /** Its media type: `text/css; charset=utf-8`. */
  readonly type: string;
  /** Default `no-cache`: a browser keeps it, and asks each time whether it is still the same. */
  readonly cacheControl?: string;
  /** What a browser may do with it. Default: none is said. */
  readonly contentSecurityPolicy?: string;
}

/**
 * Serves one file: a page, a script, a picture. A browser that has it already is told so by 304 (RFC 9110 §13.1.2), and no
 * browser takes it for anything but its type.
 *
 * ```ts
 * app.http('GET', '/', keptFile({ load: () => readFileSync(page), type: 'text/html; charset=utf-8' }));
 * ```
 */
export function keptFile(options: KeptFileOptions): HttpHandler {
  const { load, type, cacheControl = 'no-cache', contentSecurityPolicy } = options;
  let known: { readonly bytes: Uint8Array; readonly tag: string } | undefined;
  return async ({ headers }) => {
    known ??= tagged(load());
    const { bytes, tag } = known;
    const isNew = !(headers.get('if-none-match')?.includes(tag) ?? false);
    const answer = new HttpHeaders([
      ['etag', tag],
      ['cache-control', cacheControl],
      ['x-content-type-options', 'nosniff'],
      ['referrer-policy', 'no-referrer'],
    ]);
    if (contentSecurityPolicy !== undefined) answer.append('content-security-policy', contentSecurityPolicy);
    if (isNew) answer.append('content-type', type);
    return { status: isNew ? 200 : 304, headers: answer, body: isNew ? bytes : undefined };
  };
}

function tagged(content: string | Uint8Array): { readonly bytes: Uint8Array; readonly tag: string } {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { bytes, tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}
