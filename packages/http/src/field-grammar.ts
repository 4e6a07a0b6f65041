/**
 * What a field may hold, RFC 9110 §5.1 and §5.5. Every name and value that comes from a user, a file or a peer is
 * checked here before it becomes part of a message: so no text can end a field and begin another one.
 */

const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;

/** Visible ASCII, blanks inside, and 8-bit bytes, which RFC 9110 §5.5 calls opaque and asks nobody to send. */
const valuePattern = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** Names that were found good: nearly all messages have the same few. */
const goodNames = new Set<string>();
const mostGoodNames = 512;

/** True for a field name: a token of at most 256 characters. */
export function isFieldName(text: string): boolean {
  if (goodNames.has(text)) return true;
  if (!namePattern.test(text)) return false;
  if (goodNames.size >= mostGoodNames) goodNames.clear();
  goodNames.add(text);
  return true;
}

/** True for a field value as it stands between the colon's blanks and the line's end; the empty one is valid. */
export function isFieldValue(text: string): boolean {
  return valuePattern.test(text);
}

/** True for a token (RFC 9110 §5.6.2) of at most 256 characters: a method, a coding, a cookie's name. */
export const isToken: (text: string) => boolean = isFieldName;

/** A text as a quoted string (RFC 9110 §5.6.4). The text must be a field value. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The parts of a list between separators; those inside quoted strings are text. Parts are not trimmed. */
export function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let start = 0;
  let inQuotes = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') inQuotes = !inQuotes;
    else if (character === '\\' && inQuotes) at++;
    else if (character === separator && !inQuotes) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** What a quoted string says (RFC 9110 §5.6.4); a text without quotes is itself. */
export function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}
