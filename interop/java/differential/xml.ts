/** An element as it was read; text only where there are no children. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const token = /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([^\s/>]+)((?:\s+[^\s=]+="[^"]*")*)\s*(\/?)>|([^<]+)/gy;
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Reads what servers of this suite write: elements, attributes in double quotes, text, the five entities and numbers.
 * @throws Error for anything else
 */
export function readXml(text: string): Element {
  const root = open('', '');
  const stack = [root];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text);
    const top = stack.at(-1);
    if (!found || !top) throw new Error(`no XML at ${at}: ${text.slice(at, at + 40)}`);
    const [, closing, name, attributes = '', empty, words] = found;
    if (words !== undefined) top.text += unescaped(words);
    else if (closing) {
      if (name !== top.name) throw new Error(`</${name}> ends <${top.name}> at ${at}`);
      stack.pop();
    } else if (name !== undefined) {
      const element = open(name, attributes);
      top.children.push(element);
      if (!empty) stack.push(element);
    }
  }
  const [first, ...more] = root.children;
  if (!first || more.length > 0 || stack.length !== 1 || root.text.trim() !== '')
    throw new Error(`no XML document: ${text.slice(0, 80)}`);
  return first;
}

interface Growing extends Element {
  readonly children: Growing[];
  text: string;
}

function open(name: string, attributes: string): Growing {
  const pairs = Array.from(attributes.matchAll(/([^\s=]+)="([^"]*)"/g), ([, key = '', value = '']) => [
    key,
    unescaped(value),
  ]);
  return { name, attributes: Object.fromEntries(pairs), children: [], text: '' };
}

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hex, decimal, name) => {
    if (name !== undefined) return entities[name] ?? `&${name};`;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}
