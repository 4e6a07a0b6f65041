import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeXml, writeXml } from './write-xml.ts';
import { decodeXmlName, encodeXmlName } from './xml-name.ts';

const names: readonly [text: string, name: string][] = [
  ['management.port', 'management.port'],
  ['a_b', 'a__b'],
  ['a$b', 'a_-b'],
  ['a b', 'a_.0020b'],
  ['2a', '_.0032a'],
  ['-a', '_.002da'],
  ['a:b', 'a_.003ab'],
  ['é', '_.00e9'],
  ['😀', '_.d83d_.de00'],
  ['<', '_.003c'],
  ['__-', '____-'],
];
for (const [text, name] of names) {
  test(`an entry "${text}" is the element <${name}>`, () => {
    assert.equal(encodeXmlName(text), name);
    assert.equal(decodeXmlName(name), text);
  });
}

test('any text survives as the name of an element', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      const name = encodeXmlName(text);
      assert.match(name, /^[A-Za-z_][-.0-9A-Za-z_]*$/);
      assert.equal(decodeXmlName(name), text);
    }),
  );
});

const texts: readonly [text: string, written: string][] = [
  [`<&>"'`, '&lt;&amp;&gt;&quot;&apos;'],
  ['a\r\n\tb', 'a&#xd;\n\tb'],
  ['a\u0000\u0008\u000b\u001fb', 'a\ufffd\ufffd\ufffd\ufffdb'],
  ['\u0085', '&#x85;'],
  ['\ud83d!', '\ufffd!'],
  ['😀\uffff', '😀\ufffd'],
];
for (const [text, written] of texts) {
  test(`${JSON.stringify(text)} is written as ${written}`, () => assert.equal(escapeXml(text), written));
}

test('elements in one line and in several', () => {
  const element = {
    name: 'a',
    attributes: { b: '"' },
    content: [{ name: 'c', content: 'd' }, { name: 'e' }, { name: 'f', content: [{ name: 'g', content: '' }] }],
  };
  assert.equal(writeXml(element, 'compact'), '<a b="&quot;"><c>d</c><e/><f><g></g></f></a>');
  const lines = '<a b="&quot;">\n  <c>d</c>\n  <e/>\n  <f>\n    <g></g>\n  </f>\n</a>';
  assert.equal(writeXml(element, 'indented'), lines);
  assert.equal(writeXml(element, 'indented', 1), `\n${lines}`.replaceAll('\n', '\n  '));
});
