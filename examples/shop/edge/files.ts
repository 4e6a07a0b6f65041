import { createHash } from 'node:crypto';
import { type HttpHandler, HttpHeaders } from 'flotilla';

/** A file that is kept in memory. */
export interface KeptFile {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly cacheControl: string;
  readonly contentSecurityPolicy: string;
}

/** Serves a file; a browser that has it already is told so (RFC 9110 §13.1.2). */
export function serveFile({ type, bytes, cacheControl, contentSecurityPolicy }: KeptFile): HttpHandler {
  const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return async ({ headers }) => {
    const known = headers.get('if-none-match')?.includes(tag) ?? false;
    return {
      status: known ? 304 : 200,
      headers: new HttpHeaders([
        ...(known ? [] : [['content-type', type] as const]),
        ['etag', tag],
        ['cache-control', cacheControl],
        ['content-security-policy', contentSecurityPolicy],
        ['x-content-type-options', 'nosniff'],
        ['referrer-policy', 'no-referrer'],
      ]),
      body: known ? undefined : bytes,
    };
  };
}
