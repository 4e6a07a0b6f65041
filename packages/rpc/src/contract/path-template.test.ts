import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fillTemplate, parametersOf, parseTemplate } from './path-template.ts';

describe('a template that cannot be used says why', () => {
  const rows: readonly (readonly [path: string, reason: RegExp])[] = [
    ['products', /must start with "\/"/],
    ['/a//b', /segment ""/],
    ['/a/', /segment ""/],
    ['/a/../b', /segment "\.\."/],
    ['/a%20b', /segment "a%20b"/],
    ['/a b', /segment "a b"/],
    ['/a?b', /segment "a\?b"/],
    ['/{id}.json', /segment "\{id\}\.json"/],
    ['/{a}/{a}', /names \{a\} twice/],
    ['/{1a}', /segment "\{1a\}"/],
  ];
  for (const [path, reason] of rows) {
    it(path, () => assert.match(String(parseTemplate(path)), reason));
  }
});

function template(path: string): Exclude<ReturnType<typeof parseTemplate>, string> {
  const parsed = parseTemplate(path);
  assert.ok(typeof parsed !== 'string', String(parsed));
  return parsed;
}

it('parameters are listed in order', () => {
  assert.deepEqual(parametersOf(template('/a/{b}/c/{d}')), ['b', 'd']);
  assert.deepEqual(parametersOf(template('/')), []);
});

it('a filled path is percent-encoded', () => {
  assert.equal(
    fillTemplate(template('/a/{b}'), () => 'ü 1?#&%'),
    '/a/%C3%BC%201%3F%23%26%25',
  );
  assert.equal(
    fillTemplate(template('/'), () => undefined),
    '/',
  );
});

it('a text that would change the shape of the path is refused', () => {
  for (const text of ['', '.', '..', '..;x', 'a/b', 'a\\b', 'a\u0000', '\ud800', undefined]) {
    assert.equal(
      fillTemplate(template('/a/{b}'), () => text),
      undefined,
      JSON.stringify(text),
    );
  }
});

it('whatever a path takes comes out of its segment as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const path = fillTemplate(template('/a/{b}/c'), () => text);
      if (path === undefined) return;
      const [, a, b = '', c, ...more] = path.split('/');
      assert.deepEqual([a, decodeURIComponent(b), c, more], ['a', text, 'c', []]);
    }),
  );
});
