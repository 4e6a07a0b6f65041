import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { FlotillaError } from '@flotilla/core';
import fc from 'fast-check';
import { jsonLimits, parseJson } from './json.ts';
import { findJsonMistake } from './json-mistake.ts';

const encoder = new TextEncoder();
const parse = (text: string) => parseJson(encoder.encode(text));

suite('parseJson', () => {
  test('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        assert.deepEqual(parse(JSON.stringify(value)), JSON.parse(JSON.stringify(value)));
      }),
      { seed: 1 },
    );
  });

  test('reads 64 levels, refuses the 65th, and brackets inside texts are no levels', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    assert.ok(parse(nested(jsonLimits.maxDepth)));
    assert.ok(parse(`[${'[],'.repeat(100)}{}]`));
    assert.ok(parse(`{"a":"${'[{'.repeat(100)}"}`));
    assertRefused('[{}'.repeat(33), 'not JSON');
    assertRefused('[{"a":'.repeat(33), 'nested deeper than 64 levels, at character 193');
    assert.ok(parse(`["${'['.repeat(100)}\\"${'{'.repeat(100)}"]`));
    assertRefused(nested(jsonLimits.maxDepth + 1), 'nested deeper than 64 levels, at character 65');
    assertRefused('[{"a":'.repeat(100_000), 'nested deeper than 64 levels');
  });

  test('reads 99,999 values in a list, refuses one more, before anything is built', () => {
    const list = (length: number) => `[${Array(length).fill('0').join(',')}]`;
    assert.equal((parse(list(jsonLimits.maxNodes - 1)) as unknown[]).length, 99_999);
    assertRefused(list(jsonLimits.maxNodes), 'more than 100000 values, at character 199999');
  });

  const prototypes: [name: string, text: string, at: number][] = [
    ['plain', '{"__proto__":{}}', 2],
    ['spaced', '{ "a" : 1 , "__proto__" \n : 1 }', 13],
    ['nested', '[{"a":{"__proto__":null}}]', 8],
    ['with an escape', '{"\\u005f_proto__":1}', 2],
    ['all escapes', '{"\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005F":1}', 2],
    ['after a text with an escaped quote', '{"a":"\\"","__proto__":1}', 11],
  ];
  for (const [name, text, at] of prototypes) {
    test(`refuses a member named __proto__: ${name}`, () => {
      assertRefused(text, `a member named "__proto__" is not accepted, at character ${at}`);
    });
  }

  test('takes __proto__ where it is a value or a part of a name', () => {
    const text = '{"a":"__proto__","__proto":1,"x__proto__":["__proto__"],"_":"\\\\__proto__"}';
    assert.deepEqual(parse(text), JSON.parse(text));
  });

  test('long texts end where they end, whatever is escaped in them', () => {
    const part = fc.constantFrom('\\', '"', '[', '{', ',', ':', '__proto__', '\n', 'x', 'x'.repeat(63), 'y'.repeat(70));
    const texts = fc.array(
      fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(texts, (values) => {
        const begun = `[${values.map((value) => `${JSON.stringify(value)},`).join('')}"\\\\",`; // escapes: never taken at a glance
        const nested = (depth: number) => `${begun}${'['.repeat(depth)}${']'.repeat(depth)}]`;
        assert.deepEqual(parse(nested(jsonLimits.maxDepth - 1)), JSON.parse(nested(jsonLimits.maxDepth - 1)));
        const at = begun.length + jsonLimits.maxDepth;
        assertRefused(nested(jsonLimits.maxDepth), `nested deeper than 64 levels, at character ${at}`);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('colons behind a long text cost one look each', () => {
    assertRefused(`"\\u005f${'x'.repeat(200_000)}"${':'.repeat(200_000)}`, 'not JSON');
  });

  const mistakes: [text: string, said: string][] = [
    ['', 'the document is empty, at character 1'],
    [' \n', 'the document is empty, at character 3'],
    ['{"a":1,}', 'not JSON, at character 8'],
    ['[1 2]', 'not JSON, at character 4'],
    ['{"a":1', 'not JSON, at character 7'],
    ['[tru]', 'not JSON, at character 2'],
    ['"a\tb"', 'not JSON, at character 1'],
    ['{} {}', 'not JSON, at character 4'],
    ['\ufeff{}', 'not JSON, at character 1'],
  ];
  for (const [text, said] of mistakes) {
    test(`says where reading ended: ${JSON.stringify(text)}`, () => assertRefused(text, said));
  }

  test('refuses what is not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xe2, 0x82],
    ]) {
      assert.throws(() => parseJson(Uint8Array.from(bytes)), { code: 'MALFORMED_REQUEST', detail: /not valid UTF-8/ });
    }
  });

  test('never says what the document holds', () => {
    assert.throws(
      () => parse('{"password":"hunter2",oops}'),
      (error) => error instanceof FlotillaError && !JSON.stringify([error.message, error.data]).includes('hunter2'),
    );
  });
});

suite('findJsonMistake', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      ' ',
      '\n',
      'true',
      'null',
      '"a"',
      '"a":',
      '-',
      '0',
      '1.5',
      'e3',
      '\\u00',
    ),
    fc.string({ maxLength: 3 }),
  );
  const almostJson = fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat({ max: 4 }), fc.oneof(fc.constant(''), piece))
    .map(([text, at, length, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + length));

  test('finds one exactly where JSON.parse refuses', () => {
    const pieces = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(almostJson, pieces), (text) => {
        const mistake = findJsonMistake(text);
        assert.equal(mistake === undefined, isJson(text));
        assert.ok(mistake === undefined || mistake <= text.length);
      }),
      { seed: 1, numRuns: 3_000 },
    );
  });

  test('a long text with an open end is read in one pass', () => {
    const long = `"${'a\\n'.repeat(300_000)}`;
    assert.equal(findJsonMistake(long), 0);
    assert.equal(findJsonMistake(`${'1'.repeat(500_000)}x`), 500_000);
  });
});

suite('parseJson and the JSON test suite of Nicolas Seriot', () => {
  const folder = process.env['FLOTILLA_TEST_DATA'];
  const skip =
    folder === undefined && 'SKIPPED LOUDLY: set FLOTILLA_TEST_DATA to the folder that holds json-test-suite/';
  test('y_ is read, n_ is refused with a clear error, i_ is either', { skip }, () => {
    const suiteFolder = join(folder ?? '', 'json-test-suite');
    const files = readdirSync(suiteFolder).filter((file) => /^[yni]_/.test(file));
    assert.ok(files.length > 300, `only ${files.length} files in ${suiteFolder}`);
    for (const file of files) {
      const outcome = outcomeOf(readFileSync(join(suiteFolder, file)));
      assert.ok(
        file.startsWith('i_') || outcome === (file.startsWith('y_') ? 'read' : 'refused'),
        `${file}: ${outcome}`,
      );
    }
  });
});

function outcomeOf(bytes: Uint8Array): 'read' | 'refused' {
  try {
    parseJson(bytes);
    return 'read';
  } catch (error) {
    assert.ok(error instanceof FlotillaError && error.code === 'MALFORMED_REQUEST', String(error));
    return 'refused';
  }
}

function assertRefused(text: string, said: string): void {
  assert.throws(
    () => parse(text),
    (error) => {
      assert.ok(error instanceof FlotillaError);
      assert.equal(error.code, 'MALFORMED_REQUEST');
      assert.ok(error.detail.includes(said), `${error.detail}\nshould say: ${said}`);
      return true;
    },
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
