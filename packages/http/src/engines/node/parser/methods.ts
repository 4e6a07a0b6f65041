/**
 * Methods that may be asked for: of RFC 9110, PATCH (RFC 5789), QUERY, and those of WebDAV and its relatives that are
 * registered and that handlers see. CONNECT and TRACE are known, so that they can be refused by their name.
 */
const known = [
  'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH',
  'POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE',
  'M-SEARCH',
]
  .join(' ')
  .split(' ');

const knownSet: ReadonlySet<string> = new Set(known);

/** Is this text a method that may be asked for? */
export function isMethod(text: string): boolean {
  return knownSet.has(text);
}

const longest = Math.max(...known.map((method) => method.length));

/** Those of one length, the frequent ones first. */
const byLength: readonly (readonly string[])[] = Array.from({ length: longest + 1 }, (_, length) =>
  known.filter((method) => method.length === length).sort((a, b) => frequency(b) - frequency(a)),
);

function frequency(method: string): number {
  return ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'].includes(method) ? 1 : 0;
}

/** The method that these bytes are; undefined for none that is known. Methods are case-sensitive (RFC 9110 §9.1). */
export function methodOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  const candidates = byLength[end - start];
  if (candidates) for (const method of candidates) if (isText(method, bytes, start)) return method;
  return undefined;
}

/** Do the bytes from `start` on begin with this text of ASCII? */
export function isText(text: string, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}
