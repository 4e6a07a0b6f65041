import { FlotillaError } from '@flotilla/core';

/** An element that was read. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** Its text up to its first child. What stands between children is passed over: no Eureka document has any there. */
  readonly text: string;
}

/** What one document may hold; how long it may be is the affair of whoever reads it from the network. */
export const xmlLimits: Readonly<{ maxDepth: number; maxNodes: number; maxAttributes: number }> = Object.freeze({
  maxDepth: 64,
  /** Elements and attributes. */
  maxNodes: 100_000,
  /** Of one element. */
  maxAttributes: 32,
});

/**
 * Reads an XML document (XML 1.0) from outside: well-formed, in UTF-8, within {@link xmlLimits}, in time that grows with
 * its length. Only what Eureka's documents are made of is taken: elements, attributes, text, CDATA sections, comments
 * and the declaration. A DOCTYPE and processing instructions are refused, so there are no entities but the five that are
 * built in and numeric ones. Namespaces mean nothing: a name is a name.
 *
 * @throws FlotillaError MALFORMED_REQUEST, naming the character at which reading ended, counted from 1
 */
export function readXml(bytes: Uint8Array): XmlNode {
  return new XmlReader(decode(bytes)).document();
}

interface OpenNode extends XmlNode {
  readonly attributes: Map<string, string>;
  readonly children: XmlNode[];
  text: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FlotillaError('MALFORMED_REQUEST', 'the XML document is not valid UTF-8');
  }
}

const declaration =
  /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*["']1\.[0-9]["'](?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["']([-A-Za-z0-9._]{1,40})["'])?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*["'](?:yes|no)["'])?[ \t\r\n]*\?>/y;
const spaces = /[ \t\r\n]*/y;
const name = /[:A-Z_a-z\u00b7-\uffff][-.0-9:A-Z_a-z\u00b7-\uffff]*/y;
/** XML 1.0 §2.2; surrogates in pairs are checked by the decoder already. */
const noCharacter = /(?![\t\n\r\u007f-\u009f])[\p{Cc}\ufffe\uffff]/u;
const reference = /&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));/g;
const builtIn: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Walks once over the text; an element that is open lies on a list, not on the call stack. */
class XmlReader {
  readonly #source: string;
  readonly #open: OpenNode[] = [];
  #at = 0;
  #nodes = 0;
  #root: XmlNode | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  document(): XmlNode {
    const unfit = noCharacter.exec(this.#source);
    if (unfit) throw this.#malformed('a control character', unfit.index);
    this.#declaration();
    while (this.#at < this.#source.length) {
      if (this.#source.charCodeAt(this.#at) === lessThan) this.#markup();
      else this.#text();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed) throw this.#malformed(`<${shorten(unclosed.name)}> is not closed`);
    if (!this.#root) throw this.#malformed('there is no element');
    return this.#root;
  }

  #declaration(): void {
    const [whole, encoding = 'utf-8'] = this.#take(declaration) ?? [];
    if (whole === undefined) return;
    if (/^(?:utf-8|us-ascii)$/i.test(encoding)) return;
    throw this.#malformed(`its encoding is "${encoding}", not UTF-8`);
  }

  #markup(): void {
    const next = this.#source.charAt(this.#at + 1);
    if (next === '/') this.#endTag();
    else if (next === '?') throw this.#malformed('a processing instruction is not accepted');
    else if (next !== '!') this.#startTag();
    else if (this.#source.startsWith('<!--', this.#at)) this.#comment();
    else if (this.#source.startsWith('<![CDATA[', this.#at)) this.#characterData();
    else throw this.#malformed('a DOCTYPE is not accepted');
  }

  #startTag(): void {
    const startedAt = this.#at++;
    const node: OpenNode = { name: this.#name(), attributes: new Map(), children: [], text: '' };
    this.#count(startedAt);
    const isClosed = this.#attributes(node);
    const parent = this.#open.at(-1);
    if (parent) parent.children.push(node);
    else if (this.#root) throw this.#malformed('there is a second root element', startedAt);
    else this.#root = node;
    if (isClosed) return;
    this.#open.push(node);
    if (this.#open.length > xmlLimits.maxDepth)
      throw this.#malformed(`nested deeper than ${xmlLimits.maxDepth} levels`, startedAt);
  }

  /** @returns whether the tag ends with `/>`. */
  #attributes({ attributes }: OpenNode): boolean {
    for (;;) {
      const hasSpace = (this.#take(spaces)?.[0] ?? '') !== '';
      if (this.#skip('/>')) return true;
      if (this.#skip('>')) return false;
      if (!hasSpace) throw this.#malformed('a tag is not closed');
      const startedAt = this.#at;
      const attribute = this.#name();
      if (attributes.has(attribute)) throw this.#malformed(`"${shorten(attribute)}" is there twice`, startedAt);
      attributes.set(attribute, this.#attributeValue());
      this.#count(startedAt);
      if (attributes.size > xmlLimits.maxAttributes)
        throw this.#malformed(`more than ${xmlLimits.maxAttributes} attributes`, startedAt);
    }
  }

  #attributeValue(): string {
    this.#take(spaces);
    if (!this.#skip('=')) throw this.#malformed('an attribute without a value');
    this.#take(spaces);
    const quote = this.#source.charAt(this.#at);
    if (quote !== '"' && quote !== "'") throw this.#malformed('an attribute without quotes');
    const startedAt = this.#at + 1;
    const raw = this.#upTo(quote, startedAt, 'an attribute is not closed');
    if (raw.includes('<')) throw this.#malformed('"<" in an attribute', startedAt + raw.indexOf('<'));
    return this.#resolved(raw.replace(/\r\n|[\t\r\n]/g, ' '), startedAt);
  }

  #endTag(): void {
    const startedAt = this.#at;
    this.#at += 2;
    const closed = this.#name();
    this.#take(spaces);
    if (!this.#skip('>')) throw this.#malformed('a tag is not closed');
    const node = this.#open.pop();
    if (node?.name !== closed) throw this.#malformed(`</${shorten(closed)}> closes nothing`, startedAt);
  }

  #text(): void {
    const startedAt = this.#at;
    const end = this.#source.indexOf('<', startedAt);
    this.#at = end < 0 ? this.#source.length : end;
    const raw = this.#source.slice(startedAt, this.#at);
    const wrong = raw.indexOf(']]>');
    if (wrong >= 0) throw this.#malformed('"]]>" in text', startedAt + wrong);
    if (this.#open.length > 0) this.#append(this.#resolved(oneLineEnd(raw), startedAt));
    else if (/[^ \t\r\n]/.test(raw)) throw this.#malformed('text outside the root element', startedAt);
  }

  #characterData(): void {
    const startedAt = this.#at;
    const text = this.#upTo(']]>', startedAt + '<![CDATA['.length, 'a CDATA section is not closed');
    if (this.#open.length === 0) throw this.#malformed('text outside the root element', startedAt);
    this.#append(oneLineEnd(text));
  }

  #comment(): void {
    const startedAt = this.#at;
    const comment = this.#upTo('--', startedAt + '<!--'.length, 'a comment is not closed');
    if (!this.#skip('>')) throw this.#malformed('"--" in a comment', startedAt + '<!--'.length + comment.length);
  }

  #append(text: string): void {
    const node = this.#open.at(-1);
    if (node && node.children.length === 0) node.text += text;
  }

  #name(): string {
    const [taken] = this.#take(name) ?? [];
    if (taken === undefined) throw this.#malformed('a name is missing');
    return taken;
  }

  /** Text with its references resolved, none of which makes another one. */
  #resolved(raw: string, startedAt: number): string {
    if (!raw.includes('&')) return raw;
    let end = 0;
    let text = '';
    for (const match of raw.matchAll(reference)) {
      const between = raw.slice(end, match.index);
      if (between.includes('&')) break;
      text += between + this.#referred(match, startedAt);
      end = match.index + match[0].length;
    }
    const rest = raw.slice(end);
    if (rest.includes('&')) throw this.#malformed('a reference to an entity that is not built in', startedAt);
    return text + rest;
  }

  #referred([, known, decimal, hexadecimal]: RegExpExecArray, startedAt: number): string {
    if (known !== undefined) return builtIn[known] ?? '';
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    const isSurrogate = code >= 0xd800 && code <= 0xdfff;
    if (code > 0x10ffff || isSurrogate || noCharacter.test(String.fromCodePoint(code)))
      throw this.#malformed('a reference to no character', startedAt);
    return String.fromCodePoint(code);
  }

  #count(startedAt: number): void {
    if (++this.#nodes > xmlLimits.maxNodes)
      throw this.#malformed(`more than ${xmlLimits.maxNodes} elements and attributes`, startedAt);
  }

  /** What stands before the next `end`, which is passed. */
  #upTo(end: string, from: number, otherwise: string): string {
    const at = this.#source.indexOf(end, from);
    if (at < 0) throw this.#malformed(otherwise);
    this.#at = at + end.length;
    return this.#source.slice(from, at);
  }

  #skip(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #malformed(what: string, at = this.#at): FlotillaError {
    return new FlotillaError('MALFORMED_REQUEST', `the XML document cannot be read: ${what}, at character ${at + 1}`);
  }
}

const lessThan = 0x3c;

/** XML 1.0 §2.11. */
function oneLineEnd(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

function shorten(text: string): string {
  return text.slice(0, 80);
}
