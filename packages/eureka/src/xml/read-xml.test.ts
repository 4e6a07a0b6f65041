import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { readXml, type XmlNode, xmlLimits } from './read-xml.ts';
import { writeXml, type XmlElement } from './write-xml.ts';

const read = (text: string): XmlNode => readXml(Buffer.from(text));

const texts: readonly [document: string, text: string][] = [
  ['<a>x</a>', 'x'],
  ['<a/>', ''],
  ['<a></a>', ''],
  ['<a  />\n', ''],
  ['\ufeff<a>x</a>', 'x'],
  ['<?xml version="1.0" encoding="UTF-8"?>\n<a>x</a>', 'x'],
  ["<?xml version='1.0' standalone='yes' ?><a>x</a >", 'x'],
  ['<!-- a --><a><!-- b -->x<!-- c -->y</a><!-- d -->', 'xy'],
  ['<a>&lt;&amp;&gt;&quot;&apos;</a>', `<&>"'`],
  ['<a>&#65;&#x42;&#x1F600;</a>', 'AB😀'],
  ['<a>&amp;lt;</a>', '&lt;'],
  ['<a>&#38;lt;</a>', '&lt;'],
  ['<a><![CDATA[<&amp;>]]></a>', '<&amp;>'],
  ['<a>1\r\n2\r3\n</a>', '1\n2\n3\n'],
  ['<a>1&#13;2</a>', '1\r2'],
  ['<a>  x </a>', '  x '],
  ['<a>x<b>y</b>z</a>', 'x'],
  ['<é>x</é>', 'x'],
];
for (const [document, text] of texts) {
  test(`the text of ${JSON.stringify(document)} is ${JSON.stringify(text)}`, () => {
    assert.equal(read(document).text, text);
  });
}

test('attributes are text', () => {
  const { attributes } = read(`<a b="1&#x32;&quot;" c = '\n x' _d-e.f=''/>`);
  assert.deepEqual(
    [...attributes],
    [
      ['b', '12"'],
      ['c', '  x'],
      ['_d-e.f', ''],
    ],
  );
});

const refused: readonly [document: string, why: RegExp][] = [
  ['', /there is no element/],
  ['x', /text outside/],
  ['<', /a name is missing/],
  ['<nope', /a tag is not closed/],
  ['<a>', /<a> is not closed/],
  ['<a></b>', /<\/b> closes nothing/],
  ['</a>', /<\/a> closes nothing/],
  ['<a/><b/>', /second root/],
  ['<a/>x', /text outside/],
  ['<a/><![CDATA[]]>', /text outside/],
  ['<a><b></a></b>', /closes nothing/],
  ['<a b></a>', /without a value/],
  ['<a b=1/>', /without quotes/],
  ['<a b="1"c="2"/>', /a tag is not closed/],
  ['<a b="1" b="2"/>', /"b" is there twice/],
  ['<a b="<"/>', /"<" in an attribute/],
  ['<a b="1/>', /not closed/],
  ['<a>&b;</a>', /not built in/],
  ['<a>&amp</a>', /not built in/],
  ['<a>& </a>', /not built in/],
  ['<a>&lt;&b;&lt;</a>', /not built in/],
  ['<a b="&b;"/>', /not built in/],
  ['<a>&#0;</a>', /no character/],
  ['<a>&#x1;</a>', /no character/],
  ['<a>&#xd800;</a>', /no character/],
  ['<a>&#x110000;</a>', /no character/],
  ['<a>\u0000</a>', /control character, at character 4/],
  ['<a>\u001b</a>', /control character/],
  ['<a>\uffff</a>', /control character/],
  ['<a>]]></a>', /"\]\]>" in text/],
  ['<a><!-- -- --></a>', /"--" in a comment/],
  ['<a><!-- </a>', /comment is not closed/],
  ['<a><![CDATA[</a>', /CDATA section is not closed/],
  ['<?xml-stylesheet href="x"?><a/>', /processing instruction/],
  [' <?xml version="1.0"?><a/>', /processing instruction/],
  ['<?xml version="1.0" encoding="UTF-16"?><a/>', /encoding is "UTF-16"/],
  ['<!DOCTYPE a><a/>', /DOCTYPE/],
  ['<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', /DOCTYPE/],
  ['<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>', /DOCTYPE/],
  ['<1a/>', /a name is missing/],
];
suite('a document that is not well formed, or more than Eureka needs, is MALFORMED_REQUEST', () => {
  for (const [document, why] of refused) {
    test(JSON.stringify(document), () => {
      assert.throws(
        () => read(document),
        (thrown) => thrown instanceof FlotillaError && thrown.code === 'MALFORMED_REQUEST' && why.test(thrown.detail),
      );
    });
  }
  test('bytes that are no UTF-8', () => {
    assert.throws(() => readXml(Buffer.from([0x3c, 0x61, 0x3e, 0xff])), /not valid UTF-8/);
  });
});

suite('every limit is held to the number', () => {
  const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
  const attributes = (count: number) => `<a ${Array.from({ length: count }, (_, at) => `b${at}=""`).join(' ')}/>`;
  test('depth', () => {
    read(nested(xmlLimits.maxDepth));
    assert.throws(() => read(nested(xmlLimits.maxDepth + 1)), /deeper than 64 levels/);
  });
  test('attributes', () => {
    assert.equal(read(attributes(xmlLimits.maxAttributes)).attributes.size, xmlLimits.maxAttributes);
    assert.throws(() => read(attributes(xmlLimits.maxAttributes + 1)), /more than 32 attributes/);
  });
  test('elements and attributes', () => {
    read(`<a>${'<b/>'.repeat(xmlLimits.maxNodes - 1)}</a>`);
    assert.throws(() => read(`<a>${'<b/>'.repeat(xmlLimits.maxNodes)}</a>`), /more than 100000 elements/);
  });
});

/** What would cost a careless reader the square of its length, or more. */
const bombs: readonly [claim: string, document: string][] = [
  ['100,000 levels', '<a>'.repeat(100_000)],
  ['an attribute without end', `<a b="${'x'.repeat(1_000_000)}`],
  ['ampersands', `<a>${'&'.repeat(1_000_000)}</a>`],
  ['references that never end', `<a>${'&#1'.repeat(300_000)}</a>`],
  ['comments that never end', `<a>${'<!-- '.repeat(200_000)}`],
  ['spaces', `<a${' '.repeat(1_000_000)}`],
  ['a long name', `<${'a'.repeat(1_000_000)}`],
  ['brackets', `<a>${']]'.repeat(500_000)}`],
  ['CDATA that never ends', `<a>${'<![CDATA['.repeat(100_000)}`],
  ['a declaration that never ends', `<?xml version="1.0"${' '.repeat(1_000_000)}`],
];
suite('a megabyte of anything is refused at once', () => {
  for (const [claim, document] of bombs) {
    test(claim, () => {
      const before = process.cpuUsage();
      assert.throws(() => read(document), /^FlotillaError: MALFORMED_REQUEST/);
      const { user } = process.cpuUsage(before);
      assert.ok(user < 1_000_000, `it took ${user / 1_000} ms of the processor`);
    });
  }
  test('many small texts and references are joined in linear time', () => {
    const text = read(`<a>${'x&lt;<!---->'.repeat(80_000)}</a>`).text;
    assert.equal(text, 'x<'.repeat(80_000));
  });
});

const element: fc.Memo<XmlElement> = fc.memo((depth) => {
  const name = fc.stringMatching(/^[A-Za-z_][-.A-Za-z0-9_]{0,8}$/);
  const attributes = fc.dictionary(name, fc.string({ unit: 'grapheme' }), { maxKeys: 3, noNullPrototype: true });
  const text = fc.string({ unit: 'grapheme' });
  const content: fc.Arbitrary<XmlElement['content'] & {}> =
    depth <= 1 ? text : fc.oneof(text, fc.array(element(depth - 1), { minLength: 1, maxLength: 3 }));
  return fc.record({ name, attributes, content });
});

test('whatever is written is read again, in either layout', () => {
  fc.assert(
    fc.property(element(4), (written) => {
      for (const layout of ['compact', 'indented'] as const) {
        const document = writeXml(written, layout);
        assertSame(read(document), written);
        assertSame(readForeignXml(document), written);
      }
    }),
  );
});

test('any text is refused, or read as a parser of others reads it', () => {
  const pieces = ['<', '>', '/', 'a', '="', '"', "'", '&', 'lt', ';', '#x', '1', '<!--', '-->', ' '];
  const tags = ['<a>', '</a>', '<b c="1">', '</b>', '<d/>', '&amp;', '&#65;', '<![CDATA[', ']]>', '\r\n', 'text'];
  let read = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces, ...tags, ...tags), { maxLength: 12 }), (parts) => {
      const document = `<a>${parts.join('')}</a>`;
      const ours = outcomeOf(() => readXml(Buffer.from(document)));
      if (ours === undefined) return;
      assert.deepEqual(ours, readForeignXml(document));
      read++;
    }),
    { numRuns: 5_000 },
  );
  assert.ok(read > 100, `only ${read} documents were read`);
});

test('what a parser of others refuses is refused', () => {
  for (const [document] of refused)
    if (outcomeOf(() => readForeignXml(document)) === undefined)
      assert.equal(
        outcomeOf(() => read(document)),
        undefined,
      );
  for (const [document, text] of texts) assert.equal(readForeignXml(document).text, text, document);
});

function outcomeOf(read: () => XmlNode): XmlNode | undefined {
  try {
    return read();
  } catch (thrown) {
    assert.ok(thrown instanceof Error);
    assert.doesNotMatch(thrown.constructor.name, /TypeError|RangeError/);
    return undefined;
  }
}

function assertSame(node: XmlNode, { name, attributes = {}, content = '' }: XmlElement): void {
  assert.equal(node.name, name);
  assert.deepEqual(Object.fromEntries(node.attributes), { ...attributes });
  if (typeof content === 'string') assert.equal(node.text, content);
  else {
    assert.equal(node.children.length, content.length);
    for (const [at, child] of content.entries()) assertSame(node.children[at] as XmlNode, child);
  }
}

/**
 * Reads XML with a parser of others, which holds to XML 1.0 strictly: what our reader and our writer are judged by.
 * @throws Error for what is not well-formed
 */
function readForeignXml(text: string): XmlNode {
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
