import { SaxesParser } from 'saxes';
import type { XmlNode } from '../xml/read-xml.ts';

/**
 * Reads XML with a parser of others, which holds to XML 1.0 strictly: what our reader and our writer are judged by.
 * @throws Error for what is not well-formed
 */
export function readForeignXml(text: string): XmlNode {
  const parser = new SaxesParser();
  const root: OpenNode = { name: '', attributes: new Map(), children: [], text: '' };
  const open = [root];
  const parent = (): OpenNode => open.at(-1) ?? root;
  const append = (characters: string): void => {
    const node = parent();
    if (node.children.length === 0) node.text += characters;
  };
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const node: OpenNode = { name, attributes: new Map(Object.entries(attributes)), children: [], text: '' };
    parent().children.push(node);
    open.push(node);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.on('text', append);
  parser.on('cdata', append);
  parser.write(text).close();
  const [only] = root.children;
  if (!only) throw new Error('there is no element');
  return only;
}

interface OpenNode extends XmlNode {
  readonly attributes: Map<string, string>;
  readonly children: XmlNode[];
  text: string;
}
