const plainPattern = /^[A-Za-z][-.0-9A-Za-z]*$/;
const plainUnit = /[-.0-9A-Za-z]/;

/**
 * Any text as the name of an element, readable for XStream (`XmlFriendlyNameCoder`): `_` as `__`, `$` as `_-`, anything
 * but a letter, a digit, `-` and `.` of ASCII as `_.` and four hexadecimal digits of its UTF-16 code. XStream itself
 * writes foreign letters and colons as they are, which is shorter, and some spaces, which is no XML. `''` has no such
 * name.
 */
export function encodeXmlName(text: string): string {
  if (plainPattern.test(text)) return text;
  let name = '';
  for (let at = 0; at < text.length; at++) name += encodeUnit(text.charAt(at), at === 0);
  return name;
}

/** The text that {@link encodeXmlName} made `name` of; what looks like no escape stands for itself. */
export function decodeXmlName(name: string): string {
  if (!name.includes('_')) return name;
  return name.replace(/__|_-|_\.([0-9a-fA-F]{4})/g, (written, code?: string) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return written === '__' ? '_' : '$';
  });
}

function encodeUnit(unit: string, isFirst: boolean): string {
  if (unit === '_') return '__';
  if (unit === '$') return '_-';
  if ((isFirst ? /[A-Za-z]/ : plainUnit).test(unit)) return unit;
  return `_.${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
