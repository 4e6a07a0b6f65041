/**
 * A file's name as a sender gave it, made harmless to show and to store beside others: without folders (either slash),
 * control characters, marks that turn the direction of text, blanks and dots at the ends that a file system drops; at
 * most 255 bytes. It says nothing of what the file holds, and two files may have one name.
 *
 * @returns `file` when nothing is left: for `..`, say
 */
export function safeFileName(given: string): string {
  const last = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1);
  const shown = last
    .toWellFormed()
    .normalize('NFC')
    .replace(hiddenPattern, '')
    .replace(/[<>:"|?*]/g, '_');
  return cut(trimEnds(shown)) || 'file';
}

const maxBytes = 255;

// C0, DEL, C1, zero-width and direction marks, line and paragraph separators, the byte order mark.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const hiddenPattern = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Blanks in front; blanks and dots behind, which Windows drops, so that `a.exe.` would become `a.exe`. */
function trimEnds(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end--;
  return name.slice(0, end).trimStart();
}

/** To whole characters, the ending kept: it is what people tell files apart by. */
function cut(name: string): string {
  const bytes = new TextEncoder().encode(name);
  if (bytes.byteLength <= maxBytes) return name;
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : '';
  const room = maxBytes - new TextEncoder().encode(ending).byteLength;
  let whole = room;
  while (((bytes[whole] ?? 0) & 0xc0) === 0x80) whole--; // not inside a character of UTF-8
  return new TextDecoder().decode(bytes.subarray(0, whole)) + ending;
}
