import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { parseYaml } from './yaml.ts';

function refusal(text: string): string {
  try {
    parseYaml(text, 'f.yaml');
  } catch (error) {
    assert(error instanceof FlotillaError);
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.detail;
  }
  return 'accepted';
}

describe('parseYaml', () => {
  it('reads the YAML 1.2 core schema: yes and on are texts', () => {
    const { value } = parseYaml('a: yes\nb: true\nc: 0x1F\nd: 1.5\ne: ~\nf: [on, "8"]\n200: ok', 'f.yaml');
    assert.deepEqual(JSON.parse(JSON.stringify(value)), {
      200: 'ok',
      a: 'yes',
      b: true,
      c: 31,
      d: 1.5,
      e: null,
      f: ['on', '8'],
    });
  });

  it('knows where each value was written', () => {
    const { placeOf } = parseYaml('routes:\n  - id: a\n    path: /x\n', 'f.yaml');
    assert.equal(placeOf(['routes', 0, 'path']), 'f.yaml:3:11');
    assert.equal(placeOf(['routes', 0, 'absent']), 'f.yaml:2:5');
  });

  it('gives undefined for an empty text', () => {
    assert.equal(parseYaml('# nothing\n', 'f.yaml').value, undefined);
  });

  const refused: [claim: string, text: string, detail: RegExp][] = [
    ['a syntax error', 'a:\n\tb: 1', /f\.yaml:2:1: Tabs are not allowed/],
    ['a duplicate key', 'a: 1\nb: 2\na: 3', /f\.yaml:3:1: the key "a" stands here again; first at line 1/],
    ['a key that is also written as a number', '1: a\n"1": b', /f\.yaml:2:1: the key "1" stands here again/],
    ['a tag of one’s own', 'a: !env HOME', /f\.yaml:1:9: the tag "!env" is not allowed/],
    ['a set', '!!set {a}', /the tag "tag:yaml\.org,2002:set" is not allowed/],
    ['__proto__', 'a:\n  __proto__: {x: 1}', /f\.yaml:2:3: "__proto__" is not allowed as a key/],
    ['constructor', 'constructor: 1', /"constructor" is not allowed/],
    ['a merge key', 'a: {<<: {__proto__: 1}}', /merge keys/],
    ['a list as a key', '? [a]\n: 1', /f\.yaml:1:3: a key must be a plain text/],
    ['an empty key', ': 1', /a key must have 1 to 1000 characters/],
    ['a second document', 'a: 1\n---\nb: 2', /f\.yaml:3:1: a second document|f\.yaml:2:1: a second document/],
    ['YAML 1.1', '%YAML 1.1\n---\na: yes', /%YAML must say 1\.2/],
    ['an alias without an anchor', 'a: *b', /"\*b" has no anchor before it|Unresolved alias/],
    ['an alias inside its own anchor', 'a: &a [*a]', /"\*a" stands inside what it stands for/],
    ['65 levels of brackets', '['.repeat(65) + ']'.repeat(65), /f\.yaml:1:65: nested deeper than 64 levels/],
    ['a million open brackets', '['.repeat(1_000_000), /nested deeper than 64 levels/],
    ['65 levels of dashes', `${'- '.repeat(65)}x`, /nested deeper than 64 levels/],
    ['100 000 dashes in one line', '- '.repeat(100_000), /nested deeper than 64 levels/],
    ['more than 1 MB', `a: "${'x'.repeat(1_048_576)}"`, /over the limit of 1048576 bytes/],
    ['more than 1 MB in bytes alone', `a: "${'é'.repeat(524_288)}"`, /over the limit of 1048576 bytes/],
    ['100 001 values', '- x\n'.repeat(100_001), /more than 100000 values/],
    ['a million line ends', '\n'.repeat(1_000_000), /more than 500000 words, signs and lines/],
  ];
  for (const [claim, text, detail] of refused) {
    it(`refuses ${claim}, and says where`, () => assert.match(refusal(text), detail));
  }

  it('refuses an alias bomb by what the aliases stand for, not by its length', () => {
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 10; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    assert.match(refusal(bomb.join('\n')), /more than 100000 values/);
  });

  it('counts aliases: 100 are read, 101 are not', () => {
    const text = (count: number): string => `a: &a 1\nb: [${Array(count).fill('*a').join(', ')}]`;
    assert.equal(refusal(text(100)), 'accepted');
    assert.match(refusal(text(101)), /more than 100 aliases/);
  });

  it('counts the depth of what an alias stands for', () => {
    const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    assert.equal(refusal(`a: &a ${nest(30)}\nb: ${'['.repeat(30)}*a${']'.repeat(30)}`), 'accepted');
    assert.match(refusal(`a: &a ${nest(35)}\nb: ${'['.repeat(35)}*a${']'.repeat(35)}`), /nested deeper than 64/);
  });

  it('reads 20 000 flat keys and finds the one duplicate at their end', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `key${i}: ${i}`).join('\n');
    assert.equal(Object.keys(parseYaml(keys, 'f.yaml').value as object).length, 20_000);
    assert.match(
      refusal(`${keys}\nkey7: again`),
      /^one mistake.*\n {2}f\.yaml:20001:1: the key "key7" stands here again; first at line 8$/,
    );
  });

  it('lists every mistake of a text', () => {
    assert.match(refusal('a: !x 1\nb: !y 2\na: 3'), /^3 mistakes/);
  });

  it('gives back any JSON value, and throws nothing but its own error on any text', () => {
    const key = fc
      .string({ minLength: 1 })
      .filter((name) => !['__proto__', 'constructor', 'prototype', '<<'].includes(name));
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('value'), { maxLength: 4 }),
      map: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        const read = parseYaml(JSON.stringify(value), 'f.json').value;
        assert.deepEqual(JSON.parse(JSON.stringify(read ?? null)), value);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[],:?-&*!|>\'"%@#ab1 \n\t') }), (text) => void refusal(text)),
    );
  });
});
