/** RFC 9218 §5: a peer that sends more than this has no priority worth reading. */
const longestField = 512;

// The grammar of structured fields (RFC 9651 §3), as far as a dictionary needs it. Each piece begins with a character
// that no other piece of its place begins with, so that matching never goes back.
const key = '[a-z*][a-z0-9_\\-.*]*';
const number = '-?[0-9]{1,15}(?:\\.[0-9]{1,3})?';
const text = '"(?:[\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\])*"';
const token = "[A-Za-z*][!#$%&'*+\\-.^_`|~0-9A-Za-z:/]*";
const bytes = ':[A-Za-z0-9+/=]*:';
const bareItem = `(?:${number}|${text}|${token}|${bytes}|\\?[01])`;
const parameters = `(?:;\\x20*${key}(?:=${bareItem})?)*`;
const innerList = `\\((?:\\x20*${bareItem}${parameters}(?=[\\x20)]))*\\x20*\\)`;
const member = new RegExp(`(${key})(?:=(${bareItem}|${innerList}))?${parameters}[\\t\\x20]*(,[\\t\\x20]*|$)`, 'y');

/**
 * Reads the field `priority` (RFC 9218 §4): a dictionary of which only `u`, the urgency from 0 to 7, is read.
 * @returns undefined when the field names no urgency, or is not a dictionary.
 */
export function readUrgency(field: string): number | undefined {
  if (field.length > longestField) return undefined;
  let urgency: string | undefined;
  let separator: string | undefined = ',';
  for (member.lastIndex = 0; separator; ) {
    const match = member.exec(field);
    if (!match) return undefined; // a dictionary that is broken anywhere is ignored whole (RFC 9651 §4.2)
    if (match[1] === 'u') urgency = match[2] ?? '?1';
    separator = match[3];
  }
  return urgency !== undefined && /^[0-7]$/.test(urgency) ? Number(urgency) : undefined;
}

/** Writes the field `priority`. */
export function formatUrgency(urgency: number): string {
  return `u=${urgency}`;
}
