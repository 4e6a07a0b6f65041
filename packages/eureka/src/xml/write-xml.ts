/** An element that is written: its name is XML already, its attributes and its text are not escaped yet. */
export interface XmlElement {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Text, or elements in their order. Absent: written as `<name/>`, which Java's reader tells from `''`. */
  readonly content?: string | readonly XmlElement[];
}

/** How an element stands in its document. */
export type XmlLayout =
  /** One line. */
  | 'compact'
  /** A line for each tag but those around text, two spaces deeper than its parent. */
  | 'indented';

/** @param depth of the element in its document, for the layout `indented`; one below the root begins with a line feed. */
export function writeXml(element: XmlElement, layout: XmlLayout, depth = 0): string {
  if (layout === 'compact') return write(element, '', '');
  return write(element, depth === 0 ? '' : `\n${'  '.repeat(depth)}`, '  ');
}

/**
 * Text between tags or quotes, as XStream writes it. What XML 1.0 §2.2 has no place for is written as U+FFFD, the
 * replacement character.
 */
export function escapeXml(text: string): string {
  return special.test(text) ? text.replaceAll(eachSpecial, escapeCharacter) : text;
}

const special = /[&<>"'\p{Cs}\ufffe\uffff]|(?![\t\n])\p{Cc}/u;
const eachSpecial = new RegExp(special, 'gu');
const entities: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
]);

function escapeCharacter(character: string): string {
  const entity = entities.get(character);
  if (entity !== undefined) return entity;
  if (character !== '\r' && !/[\u007f-\u009f]/.test(character)) return '\ufffd';
  return `&#x${character.charCodeAt(0).toString(16)};`;
}

/** @param before what stands in front of each of its tags on a line of their own. @param deeper what its content has more. */
function write({ name, attributes, content }: XmlElement, before: string, deeper: string): string {
  let start = `${before}<${name}`;
  for (const attribute in attributes) start += ` ${attribute}="${escapeXml(attributes[attribute] ?? '')}"`;
  if (content === undefined) return `${start}/>`;
  if (typeof content === 'string') return `${start}>${escapeXml(content)}</${name}>`;
  const inside = deeper === '' ? '' : `${before || '\n'}${deeper}`;
  let inner = '';
  for (const child of content) inner += write(child, inside, deeper);
  return `${start}>${inner}${inside.slice(0, inside.length - deeper.length)}</${name}>`;
}
