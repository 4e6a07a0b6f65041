import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parsePattern, patternParams } from './pattern.ts';

suite('parsePattern', () => {
  test('reads text, names, the rest and whatever follows', () => {
    assert.deepEqual(parsePattern('/products/{id}/{*path}').pieces, [
      { kind: 'static', text: 'products' },
      { kind: 'param', name: 'id' },
      { kind: 'rest', name: 'path' },
    ]);
    assert.deepEqual(parsePattern('/shop/**').pieces, [{ kind: 'static', text: 'shop' }, { kind: 'any' }]);
    assert.deepEqual(parsePattern('/').pieces, []);
  });

  test('static text is what a decoded segment holds, however it is written', () => {
    for (const text of ['/café au', '/caf%c3%a9%20au', '/caf%C3%A9 au']) {
      assert.deepEqual(parsePattern(text).pieces, [{ kind: 'static', text: 'café au' }]);
    }
  });

  test('a trailing slash is a piece of its own', () => {
    assert.deepEqual(parsePattern('/a/').pieces, [
      { kind: 'static', text: 'a' },
      { kind: 'static', text: '' },
    ]);
  });

  const mistakes: [text: string, said: RegExp][] = [
    ['', /"" cannot be used: it has to begin with "\/"/],
    ['products', /"products" cannot be used: it has to begin with "\/"/],
    ['/a//b', /empty segment/],
    ['/**/a', /"\*\*" can only be its last segment/],
    ['/{*rest}/a', /"\{\*rest\}" can only be its last segment/],
    ['/*', /"\*" is not a segment: write text, "\{name\}"/],
    ['/files/*.txt', /"\*\.txt" is not a segment/],
    ['/x{id}', /"x\{id\}" is not a segment/],
    ['/{id}.json', /is not a segment/],
    ['/{a}{b}', /is not a segment/],
    ['/{id', /is not a segment/],
    ['/{}', /"" is not a name/],
    ['/{a-b}', /"a-b" is not a name/],
    ['/{id:[0-9]+}', /"id:\[0-9\]\+" is not a name/],
    [`/{${'a'.repeat(65)}}`, /is not a name/],
    ['/{id}/x/{id}', /it has the name "id" twice/],
    ['/{id}/{*id}', /it has the name "id" twice/],
    ['/a/../b', /"\.\." is not a segment of a path/],
    ['/./b', /"\." is not a segment of a path: a dot segment/],
    ['/a%2fb', /escaped slash/],
    ['/a%zz', /not an escape/],
    ['/a?b=c', /"\?"/],
    ['/a\nb', /control character/],
    ['/a'.repeat(65), /more than 64 segments/],
  ];
  for (const [text, said] of mistakes) {
    test(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
      assert.throws(() => parsePattern(text), { code: 'CONFIG_INVALID', detail: said });
    });
  }
});

suite('patternParams', () => {
  test('gives what each name took, and the rest with its slashes', () => {
    const pattern = parsePattern('/a/{id}/{*rest}');
    assert.deepEqual(
      patternParams(pattern, ['a', '7 8', 'x', 'y', '']),
      new Map([
        ['id', '7 8'],
        ['rest', 'x/y/'],
      ]),
    );
  });
});
